// What the build refuses of a schema: each finding on a copy of our own schema with one thing
// wrong.
#include "base/schema/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/policy.pb.h"
#include "waymark/v1/sections.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The files of the schema's sections and what they import, imports first, to be changed and built.
class Schema {
 public:
  Schema() {
    for (const FileDescriptor* file :
         {v1::Sections::descriptor()->file(), v1::Header::descriptor()->file(),
          v1::ConsentToken::descriptor()->file()}) {
      Add(*file);
    }
  }

  // The message of this name, in whichever file it is.
  DescriptorProto& Message(const std::string& name) {
    for (FileDescriptorProto& file : files_) {
      for (DescriptorProto& message : *file.mutable_message_type()) {
        if (message.name() == name) return message;
      }
    }
    ADD_FAILURE() << "there is no message " << name;
    return *files_.front().add_message_type();
  }

  FieldDescriptorProto& Field(const std::string& message, const std::string& name) {
    for (FieldDescriptorProto& field : *Message(message).mutable_field()) {
      if (field.name() == name) return field;
    }
    ADD_FAILURE() << "there is no field " << message << "." << name;
    return *Message(message).add_field();
  }

  std::vector<std::string> Findings() const {
    google::protobuf::DescriptorPool pool;
    std::vector<const FileDescriptor*> built;
    for (const FileDescriptorProto& file : files_) {
      built.push_back(pool.BuildFile(file));
      if (built.back() == nullptr) return {file.name() + " does not build"};
    }
    return SchemaFindings(built);
  }

 private:
  void Add(const FileDescriptor& file) {
    for (const FileDescriptorProto& known : files_) {
      if (known.name() == file.name()) return;
    }
    for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
    file.CopyTo(&files_.emplace_back());
  }

  std::vector<FileDescriptorProto> files_;
};

v1::FieldPolicy& PolicyOf(FieldDescriptorProto& field) {
  return *field.mutable_options()->MutableExtension(v1::policy);
}

v1::ValueLimits& LimitsOf(FieldDescriptorProto& field) {
  return *field.mutable_options()->MutableExtension(v1::limits);
}

TEST(SchemaCheckTest, OurSchemaMayBeBuilt) { EXPECT_THAT(Schema().Findings(), IsEmpty()); }

struct Row {
  std::string name;
  std::function<void(Schema&)> change;
  std::string finding;
};

class SchemaCheckRowTest : public ::testing::TestWithParam<Row> {};

TEST_P(SchemaCheckRowTest, IsFound) {
  Schema schema;
  GetParam().change(schema);
  EXPECT_THAT(schema.Findings(), ElementsAre(GetParam().finding));
}

std::vector<Row> PolicyRows() {
  return {
      {"NoPolicy",
       [](Schema& schema) {
         schema.Field("LogiSection", "accompanied_by_lead")
             .mutable_options()
             ->ClearExtension(v1::policy);
       },
       "waymark.v1.LogiSection.accompanied_by_lead has no policy; say who may see it "
       "(waymark/v1/policy.proto)."},
      {"NoClass",
       [](Schema& schema) {
         PolicyOf(schema.Field("LogiSection", "accompanied_by_lead")).clear_data_class();
       },
       "waymark.v1.LogiSection.accompanied_by_lead has a policy without a class."},
      {"AnotherNumber",
       [](Schema& schema) {
         PolicyOf(schema.Field("LogiSection", "accompanied_by_lead")).set_field_no(1003);
       },
       "waymark.v1.LogiSection.accompanied_by_lead must have field_no 1004."},
      {"NeverAbsent",
       [](Schema& schema) {
         FieldDescriptorProto& field = schema.Field("ProgSection", "call_lead");
         field.clear_proto3_optional();
         field.clear_oneof_index();
         DescriptorProto& message = schema.Message("ProgSection");
         for (int i = 0; i < message.oneof_decl_size(); ++i) {
           if (message.oneof_decl(i).name() != "_call_lead") continue;
           message.mutable_oneof_decl()->DeleteSubrange(i, 1);
           for (FieldDescriptorProto& other : *message.mutable_field()) {
             if (other.oneof_index() > i) other.set_oneof_index(other.oneof_index() - 1);
           }
         }
       },
       "waymark.v1.ProgSection.call_lead cannot be absent; make it optional."},
  };
}

std::vector<Row> ValueRows() {
  return {
      {"TextOfAnyKind",
       [](Schema& schema) {
         LimitsOf(schema.Field("LogiSection", "meeting_point")).clear_format();
       },
       "waymark.v1.LogiSection.meeting_point does not say what it may hold; give it a format."},
      {"TextOfAnyLength",
       [](Schema& schema) {
         LimitsOf(schema.Field("LogiSection", "meeting_point")).clear_max_length();
       },
       "waymark.v1.LogiSection.meeting_point is free text without a max_length."},
      {"TextInAValueType",
       [](Schema& schema) {
         LimitsOf(schema.Field("MilestoneUpdate", "milestone_ref"))
             .set_format(v1::VALUE_FORMAT_FREE_TEXT);
         LimitsOf(schema.Field("MilestoneUpdate", "milestone_ref")).set_max_length(10);
       },
       "waymark.v1.MilestoneUpdate.milestone_ref is free text in a value type."},
      {"ABoolAboutThePerson",
       [](Schema& schema) {
         PolicyOf(schema.Field("ProgSection", "call_lead")).set_data_class(v1::DATA_CLASS_SPECIAL);
       },
       "waymark.v1.ProgSection.call_lead is a bool about a person; use an enum with four values."},
      {"NoWayNotToSay",
       [](Schema& schema) {
         DescriptorProto& message = schema.Message("LogiSection");
         message.mutable_field()->RemoveLast();
         for (const char* field : {"meeting_point", "appointment_at", "remote_join_ref"}) {
           PolicyOf(schema.Field("LogiSection", field))
               .set_data_class(v1::DATA_CLASS_NON_IDENTIFYING);
         }
       },
       "waymark.v1.LogiSection needs a list not_said."},
      {"AnotherFieldAsNotSaid",
       [](Schema& schema) { schema.Field("LogiSection", "not_said").set_name("omitted"); },
       "waymark.v1.LogiSection.omitted has the number of not_said."},
      {"ASectionTooFew",
       [](Schema& schema) {
         schema.Message("ConsentToken").mutable_options()->ClearExtension(v1::section);
       },
       "SECTION_CON is the section of no message."},
  };
}

std::string NameOf(const ::testing::TestParamInfo<Row>& tested) { return tested.param.name; }

INSTANTIATE_TEST_SUITE_P(Policies, SchemaCheckRowTest, ::testing::ValuesIn(PolicyRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Values, SchemaCheckRowTest, ::testing::ValuesIn(ValueRows()), NameOf);

}  // namespace
}  // namespace waymark
