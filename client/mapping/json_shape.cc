#include "client/mapping/json_shape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace waymark::node {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Value;

// Names longer than any field of the schema are not worth repeating.
constexpr size_t kMaxName = 64;

const FieldDescriptor* FindField(const Descriptor& type, const std::string& name) {
  if (const FieldDescriptor* field = type.FindFieldByName(name)) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

// Whether a number, or a text that holds one, is a whole number of the range.
template <typename Integer>
bool IsInteger(const Value& value) {
  if (value.kind_case() == Value::kStringValue) {
    Integer integer = 0;
    return absl::SimpleAtoi(value.string_value(), &integer);
  }
  if (value.kind_case() != Value::kNumberValue) return false;
  const double number = value.number_value();
  // The upper end as a power of two, which a double holds exactly.
  const double end = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
  const double begin = std::numeric_limits<Integer>::is_signed ? -end : 0.0;
  return number >= begin && number < end && std::floor(number) == number;
}

bool IsNumber(const Value& value) {
  double number = 0;
  return value.kind_case() == Value::kNumberValue ||
         (value.kind_case() == Value::kStringValue &&
          absl::SimpleAtod(value.string_value(), &number));
}

bool IsBase64(const std::string& text) {
  std::string bytes;
  return absl::Base64Unescape(text, &bytes) || absl::WebSafeBase64Unescape(text, &bytes);
}

bool IsEnumValue(const Value& value, const google::protobuf::EnumDescriptor& type) {
  if (value.kind_case() == Value::kStringValue) {
    return type.FindValueByName(value.string_value()) != nullptr;
  }
  return IsInteger<int32_t>(value);
}

class Walk {
 public:
  explicit Walk(std::vector<ShapeFault>& faults) : faults_(faults) {}

  void Object(const Value& value, const Descriptor& type, const std::string& path) {
    if (value.kind_case() != Value::kStructValue) {
      Add(path, "must be an object");
      return;
    }
    for (const auto& [name, member] : value.struct_value().fields()) {
      const FieldDescriptor* field = FindField(type, name);
      const std::string shown = name.size() > kMaxName ? name.substr(0, kMaxName) + "..." : name;
      const std::string where = path.empty() ? shown : absl::StrCat(path, ".", shown);
      if (field == nullptr) {
        Add(where, "is not a field of " + type.name());
      } else if (member.kind_case() != Value::kNullValue) {
        Field(member, *field, where);
      }
    }
  }

 private:
  void Add(const std::string& path, std::string what) {
    faults_.push_back({path.empty() ? "the document" : path, std::move(what)});
  }

  void Field(const Value& value, const FieldDescriptor& field, const std::string& path) {
    if (!field.is_repeated()) {
      Entry(value, field, path);
      return;
    }
    if (value.kind_case() != Value::kListValue) {
      Add(path, "must be a list");
      return;
    }
    for (int i = 0; i < value.list_value().values_size(); ++i) {
      Entry(value.list_value().values(i), field, path + "[" + std::to_string(i) + "]");
    }
  }

  void Entry(const Value& value, const FieldDescriptor& field, const std::string& path) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message(value, *field.message_type(), path);
      return;
    }
    const bool text = value.kind_case() == Value::kStringValue;
    switch (field.type()) {
      case FieldDescriptor::TYPE_BOOL:
        if (value.kind_case() != Value::kBoolValue) Add(path, "must be true or false");
        return;
      case FieldDescriptor::TYPE_STRING:
        if (!text) Add(path, "must be a text");
        return;
      case FieldDescriptor::TYPE_BYTES:
        if (!text || !IsBase64(value.string_value())) Add(path, "must be bytes in base64");
        return;
      case FieldDescriptor::TYPE_ENUM:
        if (!IsEnumValue(value, *field.enum_type())) {
          Add(path, "must be a value of " + field.enum_type()->name());
        }
        return;
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FLOAT:
        if (!IsNumber(value)) Add(path, "must be a number");
        return;
      default:
        if (!IsWhole(value, field.cpp_type())) Add(path, "must be a whole number of its range");
    }
  }

  static bool IsWhole(const Value& value, FieldDescriptor::CppType type) {
    switch (type) {
      case FieldDescriptor::CPPTYPE_INT32:
        return IsInteger<int32_t>(value);
      case FieldDescriptor::CPPTYPE_UINT32:
        return IsInteger<uint32_t>(value);
      case FieldDescriptor::CPPTYPE_INT64:
        return IsInteger<int64_t>(value);
      default:
        return IsInteger<uint64_t>(value);
    }
  }

  void Message(const Value& value, const Descriptor& type, const std::string& path) {
    if (&type != google::protobuf::Timestamp::descriptor()) {
      Object(value, type, path);
      return;
    }
    google::protobuf::Timestamp time;
    if (value.kind_case() != Value::kStringValue ||
        !google::protobuf::util::TimeUtil::FromString(value.string_value(), &time)) {
      Add(path, "must be a time such as 2027-03-09T20:30:00Z");
    }
  }

  std::vector<ShapeFault>& faults_;
};

}  // namespace

std::vector<ShapeFault> FindShapeFaults(std::string_view json, const Descriptor& type) {
  std::vector<ShapeFault> faults;
  Value value;
  if (!google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &value).ok()) {
    faults.push_back({"the document", "is not JSON that can be read"});
    return faults;
  }
  Walk(faults).Object(value, type, "");
  std::sort(faults.begin(), faults.end(),
            [](const ShapeFault& a, const ShapeFault& b) { return a.path < b.path; });
  return faults;
}

}  // namespace waymark::node
