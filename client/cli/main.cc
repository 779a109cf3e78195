// `waymark`: the command line for caseworkers, partners, node administrators and the registry
// operator.
#include <algorithm>
#include <exception>
#include <iostream>

#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

int Code(ExitCode code) { return static_cast<int>(code); }

// Tells of an error, to people or, with --json, to programs.
int Fail(const absl::Status& status, bool json) {
  std::cerr << (json ? ErrorJson(status) + "\n" : ErrorLine("waymark", status));
  return Code(ExitCodeOf(status));
}

// Whether --json is among the arguments, also where they cannot be parsed.
bool WantsJson(int argc, char** argv) {
  return std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
}

// "CODE takes a number" for "Could not convert: CODE = abc": of our options only numbers are
// converted.
std::string NotANumber(std::string_view text) {
  const size_t name = text.find(": ");
  const size_t end = text.find(" = ");
  if (name == std::string_view::npos || end == std::string_view::npos) return std::string(text);
  return std::string(text.substr(name + 2, end - name - 2)) + " takes a number";
}

int Run(int argc, char** argv) {
  const bool json = WantsJson(argc, argv);
  const auto refuse = [json](const std::string& what) {
    return Fail(CommandLineError(what), json);
  };
  Shell shell(std::cout, SystemClock(), SystemRandom());
  CLI::App app("The command line of a Waymark node, and of the registry operator.", "waymark");
  app.set_version_flag("--version", std::string("waymark ") + WAYMARK_VERSION);
  app.footer(kExitCodeHelp);
  app.require_subcommand(1);
  app.fallthrough();
  shell.AddGlobalOptions(app);
  AddStaffCommands(app, shell);
  AddDirectoryCommands(app, shell);
  AddCoverageCommand(app, shell);
  AddCaseCommands(app, shell);
  AddNeedCommands(app, shell);
  AddConsentCommands(app, shell);
  AddOriginCommands(app, shell);
  AddProviderCommands(app, shell);
  AddReferralCommands(app, shell);
  AddListingCommands(app, shell);
  AddLocalCommands(app, shell);
  AddMapCommands(app, shell);
  AddDoctorCommand(app, shell);
  AddRegistryCommands(app, shell);
  AddCompletionCommand(app, shell);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // "A subcommand is required" hides what was written instead of one.
    const std::vector<std::string> unknown = app.remaining();
    if (unknown.empty()) return refuse(error.what());
    return refuse("there is no command '" + unknown.front() + "'");
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted, std::cout, std::cerr);
  } catch (const CLI::ConversionError& error) {
    return refuse(NotANumber(error.what()));
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  const absl::Status status = shell.Execute();
  std::cout << std::flush;
  return status.ok() ? shell.exit_code() : Fail(status, json);
}

}  // namespace
}  // namespace waymark::node

int main(int argc, char** argv) {
  waymark::RequireTls13();
  try {
    return waymark::node::Run(argc, argv);
  } catch (const std::exception&) {
    const absl::Status failed =
        waymark::Error(waymark::v1::REASON_INTERNAL,
                       "this failed for a reason of the machine, such as a full disk");
    return waymark::node::Fail(failed, waymark::node::WantsJson(argc, argv));
  }
}
