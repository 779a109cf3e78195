#include "base/schema/canonical_json.h"

#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"

namespace waymark {

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return Error(v1::REASON_INTERNAL,
                 message.GetDescriptor()->name() + " cannot be written as JSON");
  }
  return json;
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
