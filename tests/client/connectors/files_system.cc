#include <gtest/gtest.h>

#include <filesystem>

#include "client/connectors/files/files_settings.h"
#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/client/connectors/tried_system.h"

namespace waymark::node {
namespace {

// What the object says under `name`.
std::string MemberOf(const std::string& json, const std::string& name) {
  const auto members = ReadJsonObject(json);
  EXPECT_TRUE(members.has_value());
  for (const JsonMember& member : members.value_or(std::vector<JsonMember>())) {
    if (member.name == name) return member.value.text;
  }
  ADD_FAILURE() << "no member " << name;
  return "";
}

class FilesSystem : public TriedSystem {
 public:
  explicit FilesSystem(FileFormat format) : csv_(format == FileFormat::kCsv) {
    std::filesystem::create_directory(out_);
    std::filesystem::create_directory(in_);
  }

  std::string Settings() const override {
    return "kind: files\n"
           "referrals:\n"
           "  mapping: out.jq\n"
           "  collected: false\n"
           "  folder: " +
           out_ + (csv_ ? "\n  format: csv\n  columns: [key, note]\n" : "\n") +
           "updates:\n"
           "  mapping: in.jq\n"
           "  folder: " +
           in_ + "\n";
  }

  std::map<std::string, std::string> Notes() override {
    std::map<std::string, std::string> notes;
    for (const std::string& name : NamesIn(out_)) {
      const std::string content = GetFile(out_ + "/" + name);
      const std::filesystem::path path(name);
      EXPECT_EQ(path.extension(), csv_ ? ".csv" : ".json");
      const auto rows = csv_ ? CsvToJson(content, ',') : SplitJson(content);
      EXPECT_TRUE(rows.has_value() && rows->size() == 1);
      notes[path.stem()] = MemberOf(rows->front(), "note");
    }
    return notes;
  }

  void Say(const std::vector<std::string>& texts) override {
    std::string content = csv_ ? "said\r\n" : "[";
    for (const std::string& text : texts) {
      if (csv_) {
        content += text + "\r\n";
      } else {
        content += (content == "[" ? "{\"said\":" : ",{\"said\":") + QuoteJson(text) + "}";
      }
    }
    if (!csv_) content += "]";
    PutFile(in_ + "/" + std::to_string(++said_) + (csv_ ? ".csv" : ".json"), content);
  }

  void Break() override {
    std::filesystem::rename(out_, out_ + ".away");
    std::filesystem::rename(in_, in_ + ".away");
  }

  void Mend() override {
    std::filesystem::rename(out_ + ".away", out_);
    std::filesystem::rename(in_ + ".away", in_);
  }

  // Permissions would not stop root.
  void Deny() override {
    std::filesystem::rename(out_, out_ + ".real");
    std::filesystem::create_directory_symlink(out_ + ".real", out_);
  }

  bool holds_zero() const override { return !csv_; }

 private:
  const bool csv_;
  TestFolder folder_;
  const std::string out_ = folder_ / "out";
  const std::string in_ = folder_ / "in";
  int said_ = 0;
};

}  // namespace

std::unique_ptr<TriedSystem> MakeJsonFilesSystem() {
  return std::make_unique<FilesSystem>(FileFormat::kJson);
}

std::unique_ptr<TriedSystem> MakeCsvFilesSystem() {
  return std::make_unique<FilesSystem>(FileFormat::kCsv);
}

}  // namespace waymark::node
