#include "tests/client/connectors/script_server.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

constexpr absl::Duration kAnswerLimit = absl::Seconds(30);

}  // namespace

absl::StatusOr<std::unique_ptr<ScriptServer>> ScriptServer::Start(
    std::vector<std::string> arguments) {
  std::unique_ptr<ScriptServer> server(new ScriptServer());
  RETURN_IF_ERROR(server->Restart(std::move(arguments)));
  return server;
}

absl::Status ScriptServer::Restart(std::vector<std::string> arguments) {
  Kill();
  const std::string output = folder_ / ("output" + std::to_string(++starts_));
  std::vector<std::string> command = {"/usr/bin/env", "node"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  ASSIGN_OR_RETURN(process_, ::waymark::testing::Process::Start(
                                 {.command = std::move(command), .output = output}));
  std::optional<std::vector<JsonMember>> ports;
  const auto ready = [&] {
    const std::string text = GetFile(output);
    const size_t end = text.find('\n');
    if (end != std::string::npos) ports = ReadJsonObject(text.substr(0, end));
    return ports.has_value() || !process_->running();
  };
  if (!Eventually(ready) || !ports) {
    return ::waymark::testing::Failed("the script does not listen: " + GetFile(output));
  }
  ports_.clear();
  for (const JsonMember& port : *ports) {
    if (!absl::SimpleAtoi(port.value.text, &ports_[port.name])) {
      return ::waymark::testing::Failed("the script names no port");
    }
  }
  return absl::OkStatus();
}

int ScriptServer::port(const std::string& name) const {
  const auto found = ports_.find(name);
  return found == ports_.end() ? 0 : found->second;
}

void ScriptServer::Kill() { process_ = nullptr; }

HttpClient ClientOf(int port, const std::string& path, HttpLogin login) {
  const std::string address = "http://127.0.0.1:" + std::to_string(port) + path;
  return {
      HttpAccess{
          *HttpUrl::Parse(address),
          HttpTrust{
              .ca = "", .certificate = "", .certificate_key = {}, .connect_limit = kAnswerLimit},
          std::move(login)},
      SteadyClock()};
}

std::string AskServer(HttpClient& client, const std::string& method, const std::string& path,
                      std::optional<std::string> body) {
  const HttpReply reply = client.Send({.method = method, .path = path, .body = std::move(body)},
                                      SteadyClock().Now() + kAnswerLimit);
  EXPECT_TRUE(reply.verdict.status.ok()) << path << ": " << reply.verdict.status;
  return reply.answer.body;
}

}  // namespace waymark::node
