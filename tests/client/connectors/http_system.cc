#include <gtest/gtest.h>
#include <sys/stat.h>

#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/script_server.h"
#include "tests/client/connectors/tried_system.h"

namespace waymark::node {
namespace {

constexpr char kToken[] = "a token of a test";

// The case system of deploy/integrations/legal.
class HttpSystem : public TriedSystem {
 public:
  HttpSystem() {
    PutFile(folder_ / "token", kToken);
    chmod((folder_ / "token").c_str(), 0600);
    auto server = ScriptServer::Start(Command({}));
    EXPECT_TRUE(server.ok()) << server.status();
    if (!server.ok()) std::abort();
    server_ = *std::move(server);
    port_ = server_->port();
  }

  std::string Settings() const override {
    return "kind: http\n"
           "time_limit: 5s\n"
           "address: http://127.0.0.1:" +
           std::to_string(port_) +
           "/api\n"
           "login: {kind: bearer, token: {file: " +
           (folder_ / "token") +
           "}}\n"
           "referrals:\n"
           "  mapping: out.jq\n"
           "  write: PUT /matters/{key}\n"
           "  erase: DELETE /matters/{key}\n"
           "updates:\n"
           "  mapping: in.jq\n"
           "  read: GET /changes?after={cursor}&limit={limit}\n"
           "  items: /changes\n"
           "  item_cursor: /number\n"
           "  start: 0\n";
  }

  std::map<std::string, std::string> Notes() override {
    std::map<std::string, std::string> notes;
    const auto matters = JsonAt(Ask("GET", "/matters"), "/matters");
    if (!matters) return notes;
    const std::vector<std::string> all = SplitJson(matters->text).value();
    for (const std::string& matter : all) {
      const auto note = JsonAt(matter, "/note");
      notes[JsonAt(matter, "/reference")->text] = note ? note->text : "no note";
    }
    return notes;
  }

  void Say(const std::vector<std::string>& texts) override {
    for (const std::string& text : texts) {
      Ask("POST", "/matters/AbC-1/steps", "{\"said\":" + QuoteJson(text) + "}");
    }
  }

  void Break() override { server_->Kill(); }
  void Mend() override { Restart({}); }
  void Deny() override { Restart({"--read-only"}); }
  void LoseAnswers() override { Restart({"--lose-answers"}); }
  int pid() const override { return server_->pid(); }

 private:
  std::vector<std::string> Command(const std::vector<std::string>& more) const {
    std::vector<std::string> command = {
        WAYMARK_CASE_SERVER, "--port",       std::to_string(port_), "--data",
        folder_ / "data",    "--token-file", folder_ / "token"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }

  void Restart(const std::vector<std::string>& more) {
    const absl::Status restarted = server_->Restart(Command(more));
    EXPECT_TRUE(restarted.ok()) << restarted;
  }

  std::string Ask(const std::string& method, const std::string& path,
                  std::optional<std::string> body = std::nullopt) const {
    HttpClient client =
        ClientOf(port_, "/api",
                 HttpLogin{.kind = HttpLogin::Kind::kBearer,
                           .user = "",
                           .secret = {SecretReference::Kind::kFile, folder_ / "token"},
                           .token_address = std::nullopt,
                           .scope = ""});
    return AskServer(client, method, path, std::move(body));
  }

  TestFolder folder_;
  std::unique_ptr<ScriptServer> server_;
  int port_ = 0;
};

}  // namespace

std::unique_ptr<TriedSystem> MakeHttpSystem() { return std::make_unique<HttpSystem>(); }

}  // namespace waymark::node
