// What must hold of the schema itself.
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
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
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
        v1::ListMembersRequest::descriptor()->file(), v1::Header::descriptor()->file(),
        v1::ConsentToken::descriptor()->file(), v1::RefSection::descriptor()->file()}) {
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

TEST(SchemaChecks, EveryFieldHasAPolicyWithItsOwnStableNumber) {
  std::set<uint32_t> numbers;
  for (const Descriptor* section : Sections()) {
    for (int i = 0; i < section->field_count(); ++i) {
      const FieldDescriptor& field = *section->field(i);
      if (field.number() == kNotSaidNumber) {
        EXPECT_EQ(field.name(), "not_said");
        continue;
      }
      ASSERT_TRUE(field.options().HasExtension(v1::policy)) << field.full_name();
      const v1::FieldPolicy& policy = field.options().GetExtension(v1::policy);
      EXPECT_NE(policy.data_class(), v1::DATA_CLASS_UNSPECIFIED) << field.full_name();
      EXPECT_EQ(policy.field_no(), SectionOf(*section) * 100 + field.number());
      EXPECT_TRUE(numbers.insert(policy.field_no()).second) << field.full_name();
    }
  }
  EXPECT_EQ(numbers.size(), AllFields().size());
}

TEST(SchemaChecks, AbsenceCanBeToldInEverySealedSection) {
  for (const FieldInfo& field : AllFields()) {
    if (field.section == v1::SECTION_RTE || field.section == v1::SECTION_CON) continue;
    EXPECT_TRUE(field.descriptor->is_repeated() || field.descriptor->has_presence()) << field.name;
  }
}

// Every text says what it may hold, and free text stands only where it cannot be avoided.
TEST(SchemaChecks, FreeTextStandsOnlyInTheListedFields) {
  std::set<std::string> free_text;
  for (const FieldInfo& field : AllFields()) {
    if (field.descriptor->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    const bool routing_hash = field.name == "RTE.token_hash";
    EXPECT_TRUE(routing_hash || field.format != v1::VALUE_FORMAT_UNSPECIFIED) << field.name;
    if (field.format != v1::VALUE_FORMAT_FREE_TEXT) continue;
    EXPECT_GT(field.max_length, 0u) << field.name;
    free_text.insert(field.name);
  }
  EXPECT_THAT(free_text,
              testing::UnorderedElementsAre(
                  "CONT.code_phrase", "CONT.handle", "CONT.neutral_sender_name", "DEPN.name_to_use",
                  "GOAL.wording", "IDEN.document_number", "IDEN.legal_name", "IDEN.name_to_use",
                  "IDEN.pronouns", "IDEN.public_service_number", "LOGI.meeting_point",
                  "XBOR.reception_address"));
  const FileDescriptor* file = v1::RefSection::descriptor()->file();
  for (int i = 0; i < file->message_type_count(); ++i) {
    const Descriptor* message = file->message_type(i);
    if (SectionOf(*message) != v1::SECTION_UNSPECIFIED) continue;
    for (int j = 0; j < message->field_count(); ++j) {
      const FieldDescriptor& field = *message->field(j);
      if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      EXPECT_NE(field.options().GetExtension(v1::limits).format(), v1::VALUE_FORMAT_UNSPECIFIED);
      EXPECT_NE(field.options().GetExtension(v1::limits).format(), v1::VALUE_FORMAT_FREE_TEXT);
    }
  }
}

TEST(SchemaChecks, NobodyMustAnswerAboutThemselves) {
  for (const FieldInfo& field : AllFields()) {
    if (!IsSensitive(field)) continue;
    EXPECT_NE(field.descriptor->cpp_type(), FieldDescriptor::CPPTYPE_BOOL) << field.name;
    const EnumDescriptor* type = field.descriptor->enum_type();
    if (type != nullptr) {
      std::string prefix = type->value(0)->name();
      prefix.resize(prefix.size() - std::string("UNSPECIFIED").size());
      EXPECT_NE(type->FindValueByName(prefix + "UNKNOWN"), nullptr) << field.name;
      EXPECT_NE(type->FindValueByName(prefix + "PREFER_NOT_TO_SAY"), nullptr) << field.name;
    } else if (field.section != v1::SECTION_PROG) {
      const Descriptor* section = field.descriptor->containing_type();
      EXPECT_NE(section->FindFieldByNumber(kNotSaidNumber), nullptr) << field.name;
    }
  }
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
