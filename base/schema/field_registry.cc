#include "base/schema/field_registry.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/status/status.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/sections.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kSectionPrefix = "SECTION_";

FieldInfo InfoOf(v1::Section section, const FieldDescriptor& field) {
  const v1::FieldPolicy& policy = field.options().GetExtension(v1::policy);
  const v1::ValueLimits& limits = field.options().GetExtension(v1::limits);
  return {.field_no = policy.field_no(),
          .section = section,
          .descriptor = &field,
          .data_class = policy.data_class(),
          .coarse = policy.coarse(),
          .locating = policy.locating(),
          .about_child = policy.about_child(),
          .format = limits.format(),
          .max_length = limits.max_length(),
          .name = std::string(SectionName(section)) + "." + field.name()};
}

class Registry {
 public:
  static const Registry& Get() {
    static const auto* const kRegistry = new Registry;
    return *kRegistry;
  }

  std::vector<FieldInfo> fields;
  std::unordered_map<uint32_t, const FieldInfo*> by_number;
  std::map<std::string_view, const FieldInfo*> by_name;
  std::unordered_map<const FieldDescriptor*, const FieldInfo*> by_descriptor;
  std::unordered_map<int, absl::Span<const FieldInfo>> by_section;
  std::unordered_map<int, const Descriptor*> descriptors;

 private:
  Registry() {
    const Descriptor& sections = *v1::Sections::descriptor();
    for (int i = 0; i < sections.field_count(); ++i) Add(*sections.field(i)->message_type());
    Add(*v1::Header::descriptor());
    Add(*v1::ConsentToken::descriptor());
    std::sort(fields.begin(), fields.end(),
              [](const FieldInfo& a, const FieldInfo& b) { return a.field_no < b.field_no; });
    Index();
  }

  void Add(const Descriptor& message) {
    const v1::Section section = SectionOf(message);
    descriptors[section] = &message;
    for (int i = 0; i < message.field_count(); ++i) {
      if (message.field(i)->options().HasExtension(v1::policy)) {
        fields.push_back(InfoOf(section, *message.field(i)));
      }
    }
  }

  void Index() {
    for (size_t begin = 0, end = 0; begin < fields.size(); begin = end) {
      const v1::Section section = fields[begin].section;
      while (end < fields.size() && fields[end].section == section) {
        const FieldInfo& field = fields[end++];
        by_number[field.field_no] = &field;
        by_name[field.name] = &field;
        by_descriptor[field.descriptor] = &field;
      }
      by_section[section] = absl::MakeConstSpan(fields).subspan(begin, end - begin);
    }
  }
};

template <typename Map, typename Key>
auto Find(const Map& map, const Key& key) {
  const auto it = map.find(key);
  return it == map.end() ? typename Map::mapped_type{} : it->second;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// Appends the fields whose numbers `list` holds; numbers that are no field are left to the
// validator.
void AppendNotSaid(const Message& section, const FieldDescriptor& list,
                   std::vector<const FieldInfo*>& fields) {
  const google::protobuf::Reflection& reflection = *section.GetReflection();
  for (int i = 0; i < reflection.FieldSize(section, &list); ++i) {
    const uint32_t number = reflection.GetRepeatedUInt32(section, &list, i);
    const FieldDescriptor* descriptor =
        section.GetDescriptor()->FindFieldByNumber(static_cast<int>(number));
    if (descriptor == nullptr) continue;
    if (const FieldInfo* field = FieldByDescriptor(*descriptor)) fields.push_back(field);
  }
}

}  // namespace

const FieldInfo* FieldByNumber(uint32_t field_no) {
  return Find(Registry::Get().by_number, field_no);
}

const FieldInfo* FieldByName(std::string_view name) { return Find(Registry::Get().by_name, name); }

const FieldInfo* FieldByDescriptor(const FieldDescriptor& descriptor) {
  return Find(Registry::Get().by_descriptor, &descriptor);
}

absl::Span<const FieldInfo> FieldsOf(v1::Section section) {
  return Find(Registry::Get().by_section, static_cast<int>(section));
}

absl::Span<const FieldInfo> AllFields() { return Registry::Get().fields; }

absl::StatusOr<std::vector<const FieldInfo*>> ParseFieldList(std::string_view names) {
  std::vector<const FieldInfo*> fields;
  while (!Trim(names).empty()) {
    const size_t comma = names.find(',');
    const std::string_view name = Trim(names.substr(0, comma));
    const FieldInfo* field = FieldByName(name);
    if (field == nullptr) {
      return Error(v1::REASON_FIELD_INVALID, "there is no field \"" + std::string(name) + "\"");
    }
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
    if (comma == std::string_view::npos) break;
    names.remove_prefix(comma + 1);
  }
  return fields;
}

std::string_view SectionName(v1::Section section) {
  std::string_view name = v1::Section_Name(section);
  if (section == v1::SECTION_UNSPECIFIED || name.empty()) return {};
  return name.substr(kSectionPrefix.size());
}

v1::Section SectionFromName(std::string_view name) {
  v1::Section section = v1::SECTION_UNSPECIFIED;
  v1::Section_Parse(std::string(kSectionPrefix) + std::string(name), &section);
  return section;
}

v1::Section SectionOf(const Descriptor& descriptor) {
  return descriptor.options().GetExtension(v1::section);
}

const Descriptor* SectionDescriptor(v1::Section section) {
  return Find(Registry::Get().descriptors, static_cast<int>(section));
}

std::vector<const FieldInfo*> FieldsIn(const Message& section) {
  std::vector<const FieldInfo*> fields;
  std::vector<const FieldDescriptor*> set;
  section.GetReflection()->ListFields(section, &set);
  for (const FieldDescriptor* descriptor : set) {
    if (const FieldInfo* field = FieldByDescriptor(*descriptor)) {
      fields.push_back(field);
    } else if (descriptor->number() == kNotSaidNumber) {
      AppendNotSaid(section, *descriptor, fields);
    }
  }
  std::sort(fields.begin(), fields.end(),
            [](const FieldInfo* a, const FieldInfo* b) { return a->field_no < b->field_no; });
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

}  // namespace waymark
