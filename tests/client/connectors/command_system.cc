#include <filesystem>

#include "tests/client/connectors/test_folder.h"
#include "tests/client/connectors/tried_system.h"

namespace waymark::node {
namespace {

// A folder behind the program of command_store.cc.
class CommandSystem : public TriedSystem {
 public:
  CommandSystem() { std::filesystem::create_directory(folder_ / "records"); }

  std::string Settings() const override {
    return "kind: command\n"
           "referrals:\n"
           "  mapping: out.jq\n"
           "  keyed: true\n"
           "  write: " +
           Command("write") + "  erase: " + Command("erase") +
           "updates:\n"
           "  mapping: in.jq\n"
           "  read: " +
           Command("read");
  }

  std::map<std::string, std::string> Notes() override {
    std::map<std::string, std::string> notes;
    for (const std::string& key : NamesIn(folder_ / "records")) {
      notes[key] = GetFile(folder_ / ("records/" + key));
    }
    return notes;
  }

  void Say(const std::vector<std::string>& texts) override {
    std::ofstream said(folder_ / "said", std::ios::app);
    for (const std::string& text : texts) said << text << "\n";
  }

  void Break() override { PutFile(folder_ / "broken", ""); }
  void Mend() override { std::filesystem::remove(folder_ / "broken"); }
  void Deny() override { PutFile(folder_ / "denied", ""); }

 private:
  std::string Command(const std::string& mode) const {
    return std::string("[") + WAYMARK_COMMAND_STORE + ", " + mode + ", " + (folder_ / "") + "]\n";
  }

  TestFolder folder_;
};

}  // namespace

std::unique_ptr<TriedSystem> MakeCommandSystem() { return std::make_unique<CommandSystem>(); }

}  // namespace waymark::node
