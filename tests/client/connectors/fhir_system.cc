#include "tests/client/connectors/fhir_system.h"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "client/connectors/fhir/bundle.h"
#include "client/connectors/fhir/record.h"
#include "client/connectors/json_pointer.h"

namespace waymark::node {
namespace {

std::string TextIn(const std::string& json, const std::string& pointer) {
  const auto value = JsonAt(json, pointer);
  return value ? value->text : "nothing";
}

}  // namespace

FhirSystem::FhirSystem() {
  auto server = ScriptServer::Start(Command({}));
  EXPECT_TRUE(server.ok()) << server.status();
  if (!server.ok()) std::abort();
  server_ = *std::move(server);
  port_ = server_->port();
}

std::vector<std::string> FhirSystem::Command(const std::vector<std::string>& more) const {
  std::vector<std::string> command = {WAYMARK_CLINIC_SERVER, "--port", std::to_string(port_),
                                      "--data", folder_ / "data"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

void FhirSystem::Restart(const std::vector<std::string>& more) {
  const absl::Status restarted = server_->Restart(Command(more));
  EXPECT_TRUE(restarted.ok()) << restarted;
}

std::string FhirSystem::RecordOf(const std::string& note) const {
  return "{\"state\":\"ACCEPTED\",\"request\":{\"note\":[{\"text\":" + QuoteJson(note) + "}]}}";
}

std::string FhirSystem::SaidIn(const std::string& item) const {
  return TextIn(item, "/description");
}

std::string FhirSystem::SettingsFor(const std::string& flavour, const std::string& erase) const {
  return "kind: fhir\n"
         "time_limit: 5s\n"
         "address: http://127.0.0.1:" +
         std::to_string(port_) + "/r4\nflavour: " + flavour + "\nkey_system: " + kKeySystem +
         "\nreferrals:\n"
         "  mapping: out.jq\n"
         "  erase: " +
         erase +
         "\nupdates:\n"
         "  mapping: in.jq\n";
}

std::string FhirSystem::Ask(const std::string& method, const std::string& path,
                            std::optional<std::string> body) const {
  HttpClient client = ClientOf(port_, "/r4");
  return AskServer(client, method, path, std::move(body));
}

std::vector<std::string> FhirSystem::All(const std::string& type) const {
  std::vector<std::string> resources;
  std::string path = "/" + type;
  while (!path.empty()) {
    const auto page = ReadFhirPage(Ask("GET", path));
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    resources.insert(resources.end(), page->matches.begin(), page->matches.end());
    path = page->next.empty() ? "" : "/" + page->next;
  }
  return resources;
}

std::vector<std::string> FhirSystem::Everything() const {
  std::vector<std::string> resources;
  for (const std::string_view type : kFhirRecordTypes) {
    const std::vector<std::string> all = All(std::string(type));
    resources.insert(resources.end(), all.begin(), all.end());
  }
  return resources;
}

std::map<std::string, std::string> FhirSystem::Notes() {
  std::map<std::string, std::string> notes;
  for (const std::string& request : All("ServiceRequest")) {
    const std::string key = TextIn(request, "/identifier/0/value");
    EXPECT_TRUE(notes.emplace(key, TextIn(request, "/note/0/text")).second) << key;
  }
  return notes;
}

void FhirSystem::Say(const std::vector<std::string>& texts) {
  // In one transaction, so that many have one time of change.
  std::vector<std::string> entries;
  entries.reserve(texts.size());
  for (const std::string& text : texts) {
    entries.push_back(
        R"({"resource":{"resourceType":"Task","status":"requested","intent":"order","identifier":)"
        R"([{"system":")" +
        std::string(kKeySystem) + R"(","value":"said"}],"description":)" + QuoteJson(text) +
        R"(},"request":{"method":"POST","url":"Task"}})");
  }
  Ask("POST", "",
      R"({"resourceType":"Bundle","type":"transaction","entry":[)" + absl::StrJoin(entries, ",") +
          "]}");
}

std::unique_ptr<TriedSystem> MakeFhirSystem() { return std::make_unique<FhirSystem>(); }

}  // namespace waymark::node
