// A local system in memory or in a folder, and mappings without jq, that fail where a test says.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "client/connectors/connector.h"
#include "client/mapping/mapper.h"

namespace waymark::node {

// What a call of the fake does before and after the record is stored.
struct Fault {
  // Whether the record is stored, or removed.
  bool effect = true;
  WriteResult answer;
};

// Records lie in a folder, one file each, so that they outlive the process: named by their key
// where the system has keys, by a number otherwise. Each holds the key and the record.
class FakeSystem final : public Connector {
 public:
  FakeSystem(std::string folder, bool keyed) : folder_(std::move(folder)), keyed_(keyed) {}

  bool keyed() const override { return keyed_; }

  absl::Status Ready() override { return ready ? ready() : absl::OkStatus(); }

  WriteResult Write(const LocalRecord& record) override {
    ++writes;
    Reach("write begins");
    const Fault fault = next ? next() : Fault();
    if (fault.effect) Store(keyed_ ? record.key : NextName(), record.key + "\n" + record.json);
    Reach("record stored");
    return fault.answer;
  }

  WriteResult Erase(std::string_view key) override {
    ++erasures;
    Reach("erasure begins");
    const Fault fault = next ? next() : Fault();
    if (fault.effect) {
      for (const auto& [name, content] : Files()) {
        if (content.substr(0, key.size()) == key) std::filesystem::remove(folder_ + "/" + name);
      }
    }
    Reach("record erased");
    return fault.answer;
  }

  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override {
    Reach("feed read");
    if (!feed_error.ok()) return feed_error;
    const std::vector<std::string>& items = feeds[feed];
    const size_t begin = cursor.empty() ? 0 : std::stoul(std::string(cursor));
    const size_t end = std::min(begin + 2, items.size());
    FeedPage page;
    for (size_t i = begin; i < end; ++i) page.items.push_back(items[i]);
    page.cursor = begin == end ? std::string(cursor) : std::to_string(end);
    page.more = end < items.size();
    return page;
  }

  absl::Status Taken(Feed, std::string_view cursor) override {
    taken.emplace_back(cursor);
    return absl::OkStatus();
  }

  // The records by key, several where the system has no keys.
  std::multimap<std::string, std::string> Records() const {
    std::multimap<std::string, std::string> records;
    for (const auto& [name, content] : Files()) {
      const size_t end = content.find('\n');
      records.emplace(content.substr(0, end), content.substr(end + 1));
    }
    return records;
  }

  // Called at each step.
  std::function<void(std::string_view)> reached;
  // What it says of its settings.
  std::function<absl::Status()> ready;
  // How the next call ends.
  std::function<Fault()> next;
  std::map<Feed, std::vector<std::string>> feeds;
  absl::Status feed_error;
  std::vector<std::string> taken;
  int writes = 0;
  int erasures = 0;

 private:
  void Reach(std::string_view step) {
    if (reached) reached(step);
  }
  // One that no record has; another one's may have been erased.
  std::string NextName() const {
    const auto files = Files();
    size_t number = files.size();
    while (files.contains("record-" + std::to_string(number))) ++number;
    return "record-" + std::to_string(number);
  }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() == ".new") continue;
      std::ifstream file(entry.path());
      std::stringstream content;
      content << file.rdbuf();
      files[entry.path().filename()] = content.str();
    }
    return files;
  }
  // At once or not at all, as a database does it.
  void Store(const std::string& name, const std::string& content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path + ".new") << content;
    std::filesystem::rename(path + ".new", path);
  }

  const std::string folder_;
  const bool keyed_;
};

// Returns what `run` makes of the input.
class FakeMappings final : public MappingRunner {
 public:
  using Outputs = absl::StatusOr<std::vector<std::string>>;

  Outputs Run(const MappingProgram&, std::string_view input,
              const std::map<std::string, std::string>& args) override {
    last_args = args;
    return run(std::string(input));
  }

  // As it stands: every output is the input.
  std::function<Outputs(const std::string&)> run = [](const std::string& input) -> Outputs {
    return std::vector<std::string>{input};
  };
  std::map<std::string, std::string> last_args;
};

}  // namespace waymark::node
