#include "client/cli/document.h"

#include "absl/strings/ascii.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "yaml-cpp/yaml.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* FindField(const Message& message, const std::string& key) {
  const auto* type = message.GetDescriptor();
  const std::string name = absl::AsciiStrToLower(key);
  if (const auto* field = type->FindFieldByName(name)) return field;
  return type->FindFieldByName(name + "_id");
}

absl::Status Fill(const ValueReader& reader, const YAML::Node& node, const std::string& path,
                  Message& message);

absl::Status FillField(const ValueReader& reader, const YAML::Node& value,
                       const FieldDescriptor& field, const std::string& path, Message& message) {
  const std::string what = path.empty() ? field.name() : path + "." + field.name();
  if (value.IsScalar()) {
    return AssignField(reader, path, field.name(), value.Scalar(), message);
  }
  const bool nested = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const auto& reflection = *message.GetReflection();
  if (value.IsMap() && nested) {
    return Fill(reader, value, what,
                field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                    : *reflection.MutableMessage(&message, &field));
  }
  if (!value.IsSequence() || !field.is_repeated()) {
    return Error(v1::REASON_FIELD_INVALID, what + " has a value of the wrong shape");
  }
  std::string list;
  for (const YAML::Node& entry : value) {
    if (entry.IsMap() && nested) {
      RETURN_IF_ERROR(Fill(reader, entry, what, *reflection.AddMessage(&message, &field)));
    } else if (entry.IsScalar()) {
      list += (list.empty() ? "" : ",") + entry.Scalar();
    } else {
      return Error(v1::REASON_FIELD_INVALID, what + " has an entry of the wrong shape");
    }
  }
  return list.empty() ? absl::OkStatus() : AssignField(reader, path, field.name(), list, message);
}

absl::Status Fill(const ValueReader& reader, const YAML::Node& node, const std::string& path,
                  Message& message) {
  if (!node.IsMap()) {
    return Error(v1::REASON_FIELD_INVALID,
                 (path.empty() ? "the document" : path) + " is not a map of fields and values");
  }
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (entry.second.IsNull()) continue;
    const FieldDescriptor* field = FindField(message, key);
    if (field == nullptr) {
      return Error(v1::REASON_FIELD_INVALID,
                   (path.empty() ? "the document" : path) + " has no field '" + key + "'");
    }
    RETURN_IF_ERROR(FillField(reader, entry.second, *field, path, message));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FillFromText(const ValueReader& reader, const std::string& text, Message& message) {
  try {
    return Fill(reader, YAML::Load(text), "", message);
  } catch (const YAML::Exception& error) {
    return Error(v1::REASON_FIELD_INVALID,
                 "line " + std::to_string(error.mark.line + 1) + " is not YAML");
  }
}

absl::Status FillFromFile(const ValueReader& reader, const std::string& path, Message& message) {
  ASSIGN_OR_RETURN(const std::string text, ReadPublicFile(path));
  const absl::Status filled = FillFromText(reader, text, message);
  return filled.ok() ? filled : Annotate(filled, path);
}

}  // namespace waymark::node
