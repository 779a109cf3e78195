#include "base/envelope/strict_parse.h"

#include <limits>
#include <string>

#include "base/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace waymark {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status StrictParse(std::string_view bytes, std::string_view what, Message& message) {
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(v1::REASON_MALFORMED, std::string(what) + " does not parse");
  }
  if (HasUnknownFields(message)) {
    return Error(v1::REASON_MALFORMED,
                 std::string(what) + " has a field that waymark.v1 does not know");
  }
  return absl::OkStatus();
}

bool HasUnknownFields(const Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return true;
  // Only messages can hold more: a list of all that is set would cost more than the rest of this.
  const Descriptor& type = *message.GetDescriptor();
  for (int f = 0; f < type.field_count(); ++f) {
    const FieldDescriptor* field = type.field(f);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (!reflection->HasField(message, field)) continue;
      if (HasUnknownFields(reflection->GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (HasUnknownFields(reflection->GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

}  // namespace waymark
