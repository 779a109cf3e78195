#include "base/schema/schema_check.h"

#include <set>

#include "waymark/v1/policy.pb.h"

namespace waymark {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

constexpr char kNotSaidName[] = "not_said";
constexpr char kUnspecified[] = "UNSPECIFIED";
// Has a length or none, by the kind of message (base/envelope/header.h).
constexpr char kMayBeEmpty[] = "waymark.v1.Header.token_hash";

v1::Section SectionOption(const Descriptor& message) {
  return message.options().GetExtension(v1::section);
}

// The header and the token are no part of the sections of a payload: nothing in them is answered by
// a person.
bool IsSealed(v1::Section section) {
  return section != v1::SECTION_RTE && section != v1::SECTION_CON;
}

// Whether the enum has a place for not knowing and one for not saying, beside its zero value.
bool AllowsNoAnswer(const EnumDescriptor& type) {
  const std::string& zero = type.value(0)->name();
  const std::string end = kUnspecified;
  if (zero.size() < end.size()) return false;
  const std::string prefix = zero.substr(0, zero.size() - end.size());
  return type.FindValueByName(prefix + "UNKNOWN") != nullptr &&
         type.FindValueByName(prefix + "PREFER_NOT_TO_SAY") != nullptr;
}

class Check {
 public:
  void Look(const FileDescriptor& file) {
    for (int i = 0; i < file.message_type_count(); ++i) {
      const Descriptor& message = *file.message_type(i);
      const v1::Section section = SectionOption(message);
      if (section != v1::SECTION_UNSPECIFIED) LookAtSection(section, message);
    }
  }

  // After all files.
  std::vector<std::string> Finish() {
    const EnumDescriptor& sections = *v1::Section_descriptor();
    for (int i = 0; i < sections.value_count(); ++i) {
      const auto section = static_cast<v1::Section>(sections.value(i)->number());
      if (section == v1::SECTION_UNSPECIFIED || seen_.count(section) > 0) continue;
      Add(sections.value(i)->name(), "is the section of no message");
    }
    return std::move(findings_);
  }

 private:
  void Add(const std::string& name, const std::string& what) {
    findings_.push_back(name + " " + what + ".");
  }

  void LookAtSection(v1::Section section, const Descriptor& message) {
    if (!seen_.insert(section).second) Add(message.full_name(), "is a section that another is too");
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (field.number() == kNotSaidNumber) {
        if (field.name() != kNotSaidName) Add(field.full_name(), "has the number of not_said");
        continue;
      }
      LookAtPolicy(section, field);
      LookAtText(field, /*free_text_allowed=*/true);
      if (!IsSealed(section)) continue;
      if (!field.is_repeated() && !field.has_presence()) {
        Add(field.full_name(), "cannot be absent; make it optional");
      }
      LookAtAnswer(section, field);
      if (field.message_type() != nullptr) LookAtValue(*field.message_type());
    }
  }

  void LookAtPolicy(v1::Section section, const FieldDescriptor& field) {
    if (!field.options().HasExtension(v1::policy)) {
      Add(field.full_name(), "has no policy; say who may see it (waymark/v1/policy.proto)");
      return;
    }
    const v1::FieldPolicy& policy = field.options().GetExtension(v1::policy);
    if (policy.data_class() == v1::DATA_CLASS_UNSPECIFIED) {
      Add(field.full_name(), "has a policy without a class");
    }
    const uint32_t number =
        static_cast<uint32_t>(section) * 100 + static_cast<uint32_t>(field.number());
    if (policy.field_no() != number) {
      Add(field.full_name(), "must have field_no " + std::to_string(number));
    }
  }

  // A value type within a section, and those within it.
  void LookAtValue(const Descriptor& message) {
    if (message.file()->package() != v1::FieldPolicy::descriptor()->file()->package()) return;
    if (!values_.insert(&message).second) return;
    for (int i = 0; i < message.field_count(); ++i) {
      LookAtText(*message.field(i), /*free_text_allowed=*/false);
      if (message.field(i)->message_type() != nullptr) {
        LookAtValue(*message.field(i)->message_type());
      }
    }
  }

  void LookAtText(const FieldDescriptor& field, bool free_text_allowed) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    const v1::ValueLimits& limits = field.options().GetExtension(v1::limits);
    if (limits.format() == v1::VALUE_FORMAT_UNSPECIFIED && field.full_name() != kMayBeEmpty) {
      Add(field.full_name(), "does not say what it may hold; give it a format");
    }
    if (limits.format() != v1::VALUE_FORMAT_FREE_TEXT) return;
    if (!free_text_allowed) Add(field.full_name(), "is free text in a value type");
    if (limits.max_length() == 0) Add(field.full_name(), "is free text without a max_length");
  }

  void LookAtAnswer(v1::Section section, const FieldDescriptor& field) {
    const v1::FieldPolicy& policy = field.options().GetExtension(v1::policy);
    if (policy.data_class() < v1::DATA_CLASS_QUASI) return;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
      Add(field.full_name(), "is a bool about a person; use an enum with four values");
    } else if (field.enum_type() != nullptr) {
      if (!AllowsNoAnswer(*field.enum_type())) {
        Add(field.full_name(), "has an enum without UNKNOWN and PREFER_NOT_TO_SAY");
      }
    } else if (section != v1::SECTION_PROG &&
               field.containing_type()->FindFieldByNumber(kNotSaidNumber) == nullptr) {
      // PROG is written by the provider.
      Add(field.containing_type()->full_name(), "needs a list not_said");
    }
  }

  std::set<int> seen_;
  std::set<const Descriptor*> values_;
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> SchemaFindings(const std::vector<const FileDescriptor*>& files) {
  Check check;
  for (const FileDescriptor* file : files) check.Look(*file);
  return check.Finish();
}

}  // namespace waymark
