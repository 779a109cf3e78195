#include "base/schema/canonical_json.h"

#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"

namespace waymark {
namespace {

absl::StatusOr<std::string> Print(const google::protobuf::Message& message, bool whole) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = whole;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return Error(v1::REASON_INTERNAL,
                 message.GetDescriptor()->name() + " cannot be written as JSON");
  }
  return json;
}

}  // namespace

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  return Print(message, /*whole=*/false);
}

absl::StatusOr<std::string> ToWholeJson(const google::protobuf::Message& message) {
  return Print(message, /*whole=*/true);
}

absl::Status FromJson(std::string_view json, google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  message.Clear();
  if (!google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message, options)
           .ok()) {
    message.Clear();
    return Error(v1::REASON_MALFORMED,
                 "the JSON does not describe a " + message.GetDescriptor()->name());
  }
  return absl::OkStatus();
}

}  // namespace waymark
