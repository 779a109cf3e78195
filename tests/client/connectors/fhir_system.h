// The FHIR server of deploy/integrations/medical, as a test has it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/client/connectors/script_server.h"
#include "tests/client/connectors/tried_system.h"

namespace waymark::node {

class FhirSystem : public TriedSystem {
 public:
  static constexpr char kKeySystem[] = "https://waymark.test/referral";

  FhirSystem();

  std::string RecordOf(const std::string& note) const override;
  std::string SaidIn(const std::string& item) const override;
  std::string Settings() const override { return SettingsFor("sdohcc", "delete"); }
  std::map<std::string, std::string> Notes() override;
  void Say(const std::vector<std::string>& texts) override;
  void Break() override { server_->Kill(); }
  void Mend() override { Restart({}); }
  void Deny() override { Restart({"--read-only"}); }
  void LoseAnswers() override { Restart({"--lose-answers"}); }
  int pid() const override { return server_->pid(); }

  std::string SettingsFor(const std::string& flavour, const std::string& erase) const;
  int port() const { return port_; }
  void Restart(const std::vector<std::string>& more);
  // All resources of a type, oldest first.
  std::vector<std::string> All(const std::string& type) const;
  // All resources of the types that are written.
  std::vector<std::string> Everything() const;
  // Asks the server; the answer's body.
  std::string Ask(const std::string& method, const std::string& path,
                  std::optional<std::string> body = std::nullopt) const;

 private:
  std::vector<std::string> Command(const std::vector<std::string>& more) const;

  TestFolder folder_;
  std::unique_ptr<ScriptServer> server_;
  int port_ = 0;
};

}  // namespace waymark::node
