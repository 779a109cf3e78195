#include "client/casework/sections.h"

#include <memory>
#include <string>

#include "base/policy/evaluator.h"
#include "base/status/status.h"
#include "google/protobuf/descriptor.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A later value of a repeated field replaces the earlier list instead of growing it.
void Overlay(const Message& newer, Message& older) {
  std::vector<const FieldDescriptor*> fields;
  newer.GetReflection()->ListFields(newer, &fields);
  for (const FieldDescriptor* field : fields) older.GetReflection()->ClearField(&older, field);
  older.MergeFrom(newer);
}

absl::Status PutMerged(Transaction& transaction, const ReferralId& referral,
                       SectionDirection direction, v1::Stage stage, int number, int index,
                       const Message& section, const std::vector<SectionRecord>& before) {
  std::unique_ptr<Message> merged(section.New());
  for (const SectionRecord& record : before) {
    if (record.section != number || record.index != index) continue;
    if (!merged->ParseFromArray(record.content.data(), static_cast<int>(record.content.size()))) {
      return Error(v1::REASON_DATA_CORRUPT, "a stored section does not parse");
    }
  }
  Overlay(section, *merged);
  std::string bytes = merged->SerializeAsString();
  return transaction.PutSection(
      referral, direction,
      {.section = number, .index = index, .stage = stage, .content = SecretBytes::TakeFrom(bytes)});
}

}  // namespace

absl::Status StoreSections(Transaction& transaction, const ReferralId& referral,
                           SectionDirection direction, v1::Stage stage,
                           const v1::Sections& sections) {
  ASSIGN_OR_RETURN(const auto before, transaction.ReadSections(referral, direction));
  const auto* reflection = v1::Sections::GetReflection();
  std::vector<const FieldDescriptor*> present;
  reflection->ListFields(sections, &present);
  for (const FieldDescriptor* field : present) {
    const int count = field->is_repeated() ? reflection->FieldSize(sections, field) : 1;
    for (int index = 0; index < count; ++index) {
      const Message& section = field->is_repeated()
                                   ? reflection->GetRepeatedMessage(sections, field, index)
                                   : reflection->GetMessage(sections, field);
      RETURN_IF_ERROR(PutMerged(transaction, referral, direction, stage, field->number(), index,
                                section, before));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Sections> ReadAllSections(const Reader& reader, const ReferralId& referral,
                                             SectionDirection direction) {
  ASSIGN_OR_RETURN(const auto records, reader.ReadSections(referral, direction));
  v1::Sections sections;
  const auto* reflection = v1::Sections::GetReflection();
  for (const SectionRecord& record : records) {
    const FieldDescriptor* field = v1::Sections::descriptor()->FindFieldByNumber(record.section);
    if (field == nullptr) return Error(v1::REASON_DATA_CORRUPT, "a stored section has no place");
    Message* section = field->is_repeated() ? reflection->AddMessage(&sections, field)
                                            : reflection->MutableMessage(&sections, field);
    if (!section->ParseFromArray(record.content.data(), static_cast<int>(record.content.size()))) {
      return Error(v1::REASON_DATA_CORRUPT, "a stored section does not parse");
    }
  }
  return sections;
}

absl::Status EraseFields(Transaction& transaction, const ReferralId& referral,
                         const std::vector<const FieldInfo*>& fields) {
  for (const auto direction : {SectionDirection::kReceived, SectionDirection::kSent}) {
    ASSIGN_OR_RETURN(const auto records, transaction.ReadSections(referral, direction));
    for (const SectionRecord& record : records) {
      const FieldDescriptor* place = v1::Sections::descriptor()->FindFieldByNumber(record.section);
      if (place == nullptr) return Error(v1::REASON_DATA_CORRUPT, "a stored section has no place");
      std::unique_ptr<Message> section(google::protobuf::MessageFactory::generated_factory()
                                           ->GetPrototype(place->message_type())
                                           ->New());
      if (!section->ParseFromArray(record.content.data(),
                                   static_cast<int>(record.content.size()))) {
        return Error(v1::REASON_DATA_CORRUPT, "a stored section does not parse");
      }
      bool changed = false;
      for (const FieldInfo* field : fields) {
        if (field->descriptor->containing_type() != place->message_type()) continue;
        section->GetReflection()->ClearField(section.get(), field->descriptor);
        changed = true;
      }
      if (!changed) continue;
      std::string bytes = section->SerializeAsString();
      RETURN_IF_ERROR(transaction.PutSection(referral, direction,
                                             {.section = record.section,
                                              .index = record.index,
                                              .stage = record.stage,
                                              .content = SecretBytes::TakeFrom(bytes)}));
    }
  }
  return absl::OkStatus();
}

}  // namespace waymark::node
