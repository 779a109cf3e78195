#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

struct CompletionOptions {
  std::string shell;
};

// The words that may follow a command: its subcommands, its options and those that all have.
std::string WordsOf(const CLI::App& command) {
  std::set<std::string> words = {"--json", "--socket"};
  const auto add_options = [&words](const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) words.insert("--" + name);
    }
  };
  add_options(command);
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    // A group of options is a subcommand without a name.
    sub->get_name().empty() ? add_options(*sub) : void(words.insert(sub->get_name()));
  }
  return absl::StrJoin(words, " ");
}

// One branch of the script's `case` per command.
void WriteBranches(const CLI::App& command, const std::string& path, std::string& script) {
  script += "    '" + path + "') words='" + WordsOf(command) + "' ;;\n";
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    if (sub->get_name().empty()) continue;
    WriteBranches(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), script);
  }
}

std::string BashScript(const CLI::App& app) {
  std::string script =
      "# Completion of waymark; 'waymark completion bash' wrote it.\n"
      "_waymark() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} path= next words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    next=${path:+$path }${COMP_WORDS[i]}\n"
      "    case \" $_waymark_commands \" in *\" ${next// /.} \"*) path=$next ;; esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  WriteBranches(app, "", script);
  std::vector<std::string> paths;
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    paths.push_back(sub->get_name());
    for (const CLI::App* deeper : sub->get_subcommands(nullptr)) {
      if (!deeper->get_name().empty()) paths.push_back(sub->get_name() + "." + deeper->get_name());
    }
  }
  script +=
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "  [[ -n ${COMPREPLY[*]} ]] || compopt -o default\n"
      "}\n"
      "_waymark_commands='" +
      absl::StrJoin(paths, " ") +
      "'\n"
      "complete -F _waymark waymark\n";
  return script;
}

absl::Status WriteCompletion(Shell& shell, const CLI::App& app, const CompletionOptions& options) {
  if (options.shell == "bash") {
    shell.out() << BashScript(app);
    return absl::OkStatus();
  }
  if (options.shell == "zsh") {
    shell.out() << "#compdef waymark\nautoload -U +X bashcompinit && bashcompinit\n"
                << BashScript(app);
    return absl::OkStatus();
  }
  return UsageError("there is completion for bash and zsh only");
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<CompletionOptions>();
  shell
      .Add(app, "completion", "Prints the completion script for a shell.",
           "waymark completion bash > ~/.local/share/bash-completion/completions/waymark",
           [&shell, &app, &options] { return WriteCompletion(shell, app, options); })
      ->add_option("SHELL", options.shell, "bash or zsh")
      ->required();
}

}  // namespace waymark::node
