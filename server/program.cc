#include "server/program.h"

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/directory/network.h"
#include "base/doctor/finding.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/log/log.h"
#include "base/program/program.h"
#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "server/doctor.h"
#include "server/hub.h"
#include "server/inspect.h"
#include "server/settings.h"
#include "server/store/postgres/connection.h"
#include "server/store/postgres/look.h"
#include "server/store/sqlite/routing_log.h"
#include "server/store_commands.h"

namespace waymark::hub {
namespace {

struct ServeArguments {
  std::string config;
  std::string store;
  std::string ready_file;
};

struct InitArguments {
  std::string data;
  std::string network;
};

struct InspectArguments {
  std::string data;
  std::string config;
};

struct DoctorArguments {
  std::string config;
  bool json = false;
};

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << ErrorLine("waymark-hub", status);
  return 1;
}

absl::Status WriteReadyFile(const std::string& path, const Hub::Ports& ports) {
  return WritePublicFile(path, "{\"exchange\":" + std::to_string(ports.exchange) +
                                   ",\"enrolment\":" + std::to_string(ports.enrolment) +
                                   ",\"metrics\":" + std::to_string(ports.metrics) + "}\n");
}

absl::Status Serve(const ServeArguments& arguments, const ProgramOptions& program) {
  const EndSignals signals;
  ASSIGN_OR_RETURN(Settings settings, ReadSettings(arguments.config, program));
  if (!arguments.store.empty()) settings.hub.store = arguments.store;
  RETURN_IF_ERROR(StartLog(settings.log));
  ASSIGN_OR_RETURN(const std::unique_ptr<Hub> hub, Hub::Start(settings.hub));
  Log(LogLevel::kInfo, "hub_ready",
      {{"exchange", hub->ports().exchange},
       {"enrolment", hub->ports().enrolment},
       {"metrics", hub->ports().metrics}});
  if (!arguments.ready_file.empty()) {
    RETURN_IF_ERROR(WriteReadyFile(arguments.ready_file, hub->ports()));
  }
  NotifyServiceManager("READY=1");
  signals.Wait();
  NotifyServiceManager("STOPPING=1");
  Log(LogLevel::kInfo, "hub_draining");
  hub->Stop();
  Log(LogLevel::kInfo, "hub_stopped");
  return absl::OkStatus();
}

absl::Status Init(const InitArguments& arguments) {
  ASSIGN_OR_RETURN(const Network network, LoadNetwork(arguments.network));
  const std::filesystem::path folder(arguments.data);
  const std::string key_path = folder / kKeyFile;
  const std::string request_path = folder / kRequestFile;
  for (const std::string& path : {key_path, request_path}) {
    if (std::filesystem::exists(path)) {
      return Error(v1::REASON_EXISTS, path + " is there already and is never overwritten");
    }
  }
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (error) return Error(v1::REASON_FILE_UNUSABLE, "cannot make the folder " + arguments.data);
  const SecretBytes key = GenerateTlsKey();
  ASSIGN_OR_RETURN(const std::string pem, CreateRequest(key, SpiffeId::Hub(network.id)));
  ASSIGN_OR_RETURN(const CertificateRequest request, CertificateRequest::FromPem(pem));
  RETURN_IF_ERROR(WriteSecretFile(key_path, key));
  RETURN_IF_ERROR(WritePublicFile(request_path, pem));
  std::cout << "Made " << key_path << " and " << request_path << ".\n"
            << "Fingerprint of the key: " << request.fingerprint() << "\n"
            << "Next: the registry operator compares the fingerprint and signs the request\n"
            << "  waymark registry sign-hub --help\n"
            << "then put the certificate at " << (folder / kCertificateFile).string()
            << " and run waymark-hub serve.\n";
  return absl::OkStatus();
}

absl::StatusOr<RoutingLog> ReadLog(const InspectArguments& arguments,
                                   const ProgramOptions& program) {
  if (arguments.config.empty()) return ReadRoutingLog(arguments.data + "/hub.sqlite");
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(arguments.config, program));
  const Hub::Options& hub = settings.hub;
  if (hub.store.empty()) return ReadRoutingLog(hub.data + "/hub.sqlite");
  return ReadPgRoutingLog({hub.store, hub.store_password});
}

absl::Status RunInspect(const InspectArguments& arguments, const ProgramOptions& program) {
  ASSIGN_OR_RETURN(const RoutingLog log, ReadLog(arguments, program));
  Inspect(log, std::cout);
  return absl::OkStatus();
}

int Doctor(const DoctorArguments& arguments, const ProgramOptions& program) {
  const absl::StatusOr<Settings> settings = ReadSettings(arguments.config, program);
  std::vector<Finding> findings;
  if (settings.ok()) {
    findings = DiagnoseHub(GatherHubFacts(settings->hub));
  } else {
    findings = {Wrong("configuration", std::string(settings.status().message()),
                      "Correct it; deploy/hub.yaml is a whole one.")};
  }
  std::cout << (arguments.json ? FindingsJson(findings) + "\n" : FindingsText(findings));
  return DoctorExitCode(findings);
}

}  // namespace

int RunHubProgram(int argc, char** argv, const ProgramOptions& options) {
  RequireTls13();
  CLI::App app("The hub of a Waymark network: routes sealed messages that it cannot read.",
               "waymark-hub");
  app.set_version_flag("--version", std::string("waymark-hub " WAYMARK_VERSION));
  app.require_subcommand(1);
  ServeArguments serve;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve until SIGTERM or SIGINT.");
  serve_command->add_option("--config", serve.config, "The configuration, hub.yaml.")->required();
  serve_command->add_option("--store", serve.store,
                            "Store in this PostgreSQL database (postgresql://...) instead of what "
                            "the configuration says.");
  serve_command->add_option("--ready-file", serve.ready_file,
                            "Written when ready, with the ports listened on.");
  InitArguments init;
  CLI::App* init_command =
      app.add_subcommand("init", "Make the hub's TLS key and certificate request.");
  init_command->add_option("--data", init.data, "The hub's data folder.")->required();
  init_command->add_option("--network", init.network, "The network file.")->required();
  InspectArguments inspect;
  CLI::App* inspect_command = app.add_subcommand(
      "inspect", "Show everything that the hub's disk tells of who wrote to whom.");
  CLI::Option_group* inspected = inspect_command->add_option_group("hub");
  inspected->add_option("--data", inspect.data, "The hub's data folder.");
  inspected->add_option("--config", inspect.config,
                        "The configuration, hub.yaml, of a hub that stores in PostgreSQL.");
  inspected->require_option(1);
  DoctorArguments doctor;
  CLI::App* doctor_command = app.add_subcommand(
      "doctor",
      "Say what is wrong with this hub or soon will be, and what to do. Changes nothing. Exit "
      "status: 0 all is fine, 1 warnings, 2 errors.");
  doctor_command->add_option("--config", doctor.config, "The configuration, hub.yaml.")->required();
  doctor_command->add_flag("--json", doctor.json, "One line of JSON for programs.");
  StoreCommands store(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    Report(CommandLineError(error.what()));
    return 2;
  }
  if (doctor_command->parsed()) return Doctor(doctor, options);
  if (inspect_command->parsed()) return Report(RunInspect(inspect, options));
  if (store.parsed()) return Report(store.Run(options, std::cout));
  return Report(serve_command->parsed() ? Serve(serve, options) : Init(init));
}

}  // namespace waymark::hub
