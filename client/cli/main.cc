// `waymark`: the command line for caseworkers, partners, node administrators and the registry
// operator.
#include <exception>
#include <iostream>

#include "base/rpc/credentials.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

int Code(ExitCode code) { return static_cast<int>(code); }

int Refuse(const std::string& what) {
  std::cerr << ErrorLine("waymark", CommandLineError(what));
  return Code(ExitCode::kUsage);
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
  Shell shell(std::cout, SystemClock(), SystemRandom());
  CLI::App app("The command line of a Waymark node, and of the registry operator.", "waymark");
  app.set_version_flag("--version", std::string("waymark ") + WAYMARK_VERSION);
  app.footer(kExitCodeHelp);
  app.require_subcommand(1);
  app.fallthrough();
  shell.AddGlobalOptions(app);
  AddStaffCommands(app, shell);
  AddDirectoryCommands(app, shell);
  AddCaseCommands(app, shell);
  AddNeedCommands(app, shell);
  AddConsentCommands(app, shell);
  AddOriginCommands(app, shell);
  AddProviderCommands(app, shell);
  AddReferralCommands(app, shell);
  AddRegistryCommands(app, shell);
  AddCompletionCommand(app, shell);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // "A subcommand is required" hides what was written instead of one.
    const std::vector<std::string> unknown = app.remaining();
    if (unknown.empty()) return Refuse(error.what());
    return Refuse("there is no command '" + unknown.front() + "'");
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted, std::cout, std::cerr);
  } catch (const CLI::ConversionError& error) {
    return Refuse(NotANumber(error.what()));
  } catch (const CLI::ParseError& error) {
    return Refuse(error.what());
  }
  const absl::Status status = shell.Execute();
  std::cout << std::flush;
  if (!status.ok()) std::cerr << ErrorLine("waymark", status);
  return Code(ExitCodeOf(status));
}

}  // namespace
}  // namespace waymark::node

int main(int argc, char** argv) {
  waymark::RequireTls13();
  try {
    return waymark::node::Run(argc, argv);
  } catch (const std::exception&) {
    std::cerr
        << "waymark: this failed for a reason of the machine, such as a full disk [INTERNAL]\n";
    return static_cast<int>(waymark::node::ExitCode::kUnexpected);
  }
}
