// What must hold of the schema itself, beyond what the build asks of every schema
// (base/schema/schema_check.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "base/schema/field_registry.h"
#include "base/schema/redact.h"
#include "base/schema/schema_check.h"
#include "tests/base/schema/expected_fields.h"
#include "tests/base/schema/fill.h"
#include "waymark/v1/catalogue.pb.h"
#include "waymark/v1/directory_service.pb.h"
#include "waymark/v1/exchange.pb.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/node.pb.h"
#include "waymark/v1/registry.pb.h"
#include "waymark/v1/sections.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

const std::map<std::string, v1::DataClass> kClasses = {
    {"RT", v1::DATA_CLASS_ROUTING}, {"NI", v1::DATA_CLASS_NON_IDENTIFYING},
    {"QI", v1::DATA_CLASS_QUASI},   {"ID", v1::DATA_CLASS_IDENTIFYING},
    {"SC", v1::DATA_CLASS_SPECIAL},
};

std::vector<const Descriptor*> Sections() {
  std::vector<const Descriptor*> sections;
  for (int i = v1::SECTION_REF; i <= v1::Section_MAX; ++i) {
    sections.push_back(SectionDescriptor(static_cast<v1::Section>(i)));
  }
  return sections;
}

std::unique_ptr<Message> New(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

bool IsSensitive(const FieldInfo& field) { return field.data_class >= v1::DATA_CLASS_QUASI; }

// All files of ours that the programs link.
void Collect(const FileDescriptor* file, std::set<const FileDescriptor*>& files) {
  if (file->package() != "waymark.v1" || !files.insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) Collect(file->dependency(i), files);
}

std::set<const FileDescriptor*> Files() {
  std::set<const FileDescriptor*> files;
  for (const FileDescriptor* file :
       {v1::Taxonomy::descriptor()->file(), v1::ConnectRequest::descriptor()->file(),
        v1::WatchDirectoryRequest::descriptor()->file(), v1::LoginRequest::descriptor()->file(),
        v1::PutNeedRequest::descriptor()->file(), v1::RecordConsentRequest::descriptor()->file(),
        v1::PreviewRequest::descriptor()->file(), v1::OfferRequest::descriptor()->file(),
        v1::ListReferralsRequest::descriptor()->file(),
        v1::ListMembersRequest::descriptor()->file(), v1::Header::descriptor()->file(),
        v1::ConsentToken::descriptor()->file(), v1::Sections::descriptor()->file()}) {
    Collect(file, files);
  }
  return files;
}

TEST(SchemaChecks, ThereAreNineteenSections) {
  EXPECT_EQ(Sections().size(), 19u);
  for (const Descriptor* section : Sections()) ASSERT_NE(section, nullptr);
}

TEST(SchemaChecks, FieldsAreThoseOfTheDomainTablesInTheirOrder) {
  std::map<std::string, std::vector<const ExpectedField*>> expected;
  for (const ExpectedField& field : kExpectedFields) expected[field.section].push_back(&field);
  ASSERT_EQ(expected.size(), 19u);
  for (const auto& [section, fields] : expected) {
    const absl::Span<const FieldInfo> actual = FieldsOf(SectionFromName(section));
    ASSERT_EQ(actual.size(), fields.size()) << section;
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string flags = fields[i]->flags;
      EXPECT_EQ(actual[i].name, section + "." + fields[i]->name);
      EXPECT_EQ(actual[i].data_class, kClasses.at(fields[i]->data_class)) << actual[i].name;
      EXPECT_EQ(actual[i].coarse, flags.find('c') != std::string::npos) << actual[i].name;
      EXPECT_EQ(actual[i].locating, flags.find('L') != std::string::npos) << actual[i].name;
      EXPECT_EQ(actual[i].about_child, flags.find('C') != std::string::npos) << actual[i].name;
    }
  }
}

TEST(SchemaChecks, ClassesAreAsManyAsTheDomainCounts) {
  std::map<v1::DataClass, int> counts;
  for (const FieldInfo& field : AllFields()) ++counts[field.data_class];
  EXPECT_EQ(counts[v1::DATA_CLASS_ROUTING], 15);
  // 70 of the tables' first edition, 14 more of the token, less the signature beside it.
  EXPECT_EQ(counts[v1::DATA_CLASS_NON_IDENTIFYING], 70 + 14 - 1);
  EXPECT_EQ(counts[v1::DATA_CLASS_QUASI], 34);
  EXPECT_EQ(counts[v1::DATA_CLASS_IDENTIFYING], 17);
  EXPECT_EQ(counts[v1::DATA_CLASS_SPECIAL], 31);
}

// What the build holds any schema against, held here against the one that is compiled in.
TEST(SchemaChecks, NothingIsFoundInTheSchema) {
  const std::set<const FileDescriptor*> files = Files();
  EXPECT_THAT(SchemaFindings({files.begin(), files.end()}), testing::IsEmpty());
}

TEST(SchemaChecks, FreeTextStandsOnlyInTheListedFields) {
  std::set<std::string> free_text;
  for (const FieldInfo& field : AllFields()) {
    if (field.format == v1::VALUE_FORMAT_FREE_TEXT) free_text.insert(field.name);
  }
  EXPECT_THAT(free_text,
              testing::UnorderedElementsAre(
                  "CONT.code_phrase", "CONT.handle", "CONT.neutral_sender_name", "DEPN.name_to_use",
                  "GOAL.wording", "IDEN.document_number", "IDEN.legal_name", "IDEN.name_to_use",
                  "IDEN.pronouns", "IDEN.public_service_number", "LOGI.meeting_point",
                  "XBOR.reception_address"));
}

TEST(SchemaChecks, EverySensitiveFieldIsRedactedAndNoOtherIs) {
  for (const FieldInfo& field : AllFields()) {
    const auto section = New(*field.descriptor->containing_type());
    FillField(*section, *field.descriptor);
    const std::string hidden = field.descriptor->name() + ": " + kRedacted;
    if (IsSensitive(field)) {
      EXPECT_EQ(Redacted(*section), hidden);
    } else {
      EXPECT_NE(Redacted(*section), hidden) << field.name;
      EXPECT_NE(Redacted(*section), "") << field.name;
    }
  }
}

TEST(SchemaChecks, IdentifiersAreNeutral) {
  // Joined from halves, so that the words stand nowhere in the sources.
  const std::string words[] = {std::string("vic") + "tim",   std::string("surv") + "ivor",
                               std::string("traf") + "fick", std::string("expl") + "oit",
                               std::string("sla") + "very",  std::string("res") + "cue"};
  std::vector<std::string> names;
  const auto files = Files();
  EXPECT_GE(files.size(), 12u);
  for (const FileDescriptor* file : files) {
    names.push_back(file->DebugString());
    for (int i = 0; i < file->service_count(); ++i) names.push_back(file->service(i)->full_name());
  }
  for (std::string& name : names) {
    absl::AsciiStrToLower(&name);
    for (const std::string& word : words) EXPECT_EQ(name.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace waymark
