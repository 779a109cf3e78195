// A system that is reached by a program: this one. It keeps its records as files of a folder.
//
//   command_store write|erase|read FOLDER
//
// As the connector has it: one JSON object on standard input; ends with 0, 65 or 75.

#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/strings/numbers.h"
#include "client/connectors/json_members.h"
#include "tests/client/connectors/test_folder.h"

namespace waymark::node {
namespace {

constexpr int kWrongUse = 64;
constexpr int kRefused = 65;
constexpr int kNotNow = 75;

std::string Member(const std::vector<JsonMember>& members, const std::string& name) {
  for (const JsonMember& member : members) {
    if (member.name == name) return member.value.text;
  }
  return "";
}

int Read(const std::string& folder, const std::string& cursor, const std::string& limit) {
  int start = 0;
  int count = 0;
  if (!cursor.empty() && !absl::SimpleAtoi(cursor, &start)) return kRefused;
  if (!absl::SimpleAtoi(limit, &count)) return kRefused;
  std::ifstream said(folder + "/said");
  std::string line;
  int number = 0;
  while (number < start + count && std::getline(said, line)) {
    if (++number > start) std::cout << "{\"said\":" << QuoteJson(line) << "}\n";
  }
  if (number > start) std::cout << "{\"cursor\":\"" << number << "\"}\n";
  return 0;
}

int Run(const std::string& mode, const std::string& folder) {
  if (std::filesystem::exists(folder + "/broken")) return kNotNow;
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  const auto members = ReadJsonObject(input);
  if (!members) return kWrongUse;
  if (mode == "read") return Read(folder, Member(*members, "cursor"), Member(*members, "limit"));
  const std::string path = folder + "/records/" + Member(*members, "key");
  if (mode == "erase") {
    std::filesystem::remove(path);
    return 0;
  }
  if (std::filesystem::exists(folder + "/denied")) return kRefused;
  const auto record = ReadJsonObject(Member(*members, "record"));
  if (!record) return kRefused;
  PutFile(path, Member(*record, "note"));
  return 0;
}

}  // namespace
}  // namespace waymark::node

int main(int argc, char** argv) {
  if (argc != 3) return waymark::node::kWrongUse;
  return waymark::node::Run(argv[1], argv[2]);
}
