// A server of a test that is a script of Node.js: started as a child, ended with its owner.
//
// A script prints one line with a JSON object of its ports once it listens. Node.js is looked for
// on the PATH; without it Start fails. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/connectors/http/client.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/support/process.h"

namespace waymark::node {

class ScriptServer {
 public:
  // `arguments`: the script's path and what follows it.
  static absl::StatusOr<std::unique_ptr<ScriptServer>> Start(std::vector<std::string> arguments);

  int port(const std::string& name = "port") const;

  // While it runs.
  int pid() const { return process_->pid(); }

  // Ends it as a power cut would; starts it again with other arguments.
  void Kill();
  absl::Status Restart(std::vector<std::string> arguments);

 private:
  ScriptServer() = default;

  TestFolder folder_;
  int starts_ = 0;
  std::map<std::string, int> ports_;
  std::unique_ptr<::waymark::testing::Process> process_;
};

// A client to what listens on this port of this machine; `path` is put before all others.
HttpClient ClientOf(int port, const std::string& path = "", HttpLogin login = {});

// Asks, and returns the body of the answer; a failure of the test when it is no 2xx.
std::string AskServer(HttpClient& client, const std::string& method, const std::string& path,
                      std::optional<std::string> body = std::nullopt);

}  // namespace waymark::node
