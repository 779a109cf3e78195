#include "tests/base/schema/fill.h"

#include <string>

#include "base/schema/field_registry.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/sections.pb.h"

namespace waymark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// 2027-03-09T20:00Z.
constexpr int64_t kTime = 1804622400;

std::string TextOf(v1::ValueFormat format) {
  switch (format) {
    case v1::VALUE_FORMAT_LANGUAGE_TAG:
      return "qaa-canary";
    case v1::VALUE_FORMAT_AREA_CODE:
      return "XA-CANARY";
    case v1::VALUE_FORMAT_COUNTRY_CODE:
      return "XQ";
    case v1::VALUE_FORMAT_ID16:
      return "canarycanarycana";
    case v1::VALUE_FORMAT_DIGEST32:
      return "canarycanarycanarycanarycanaryca";
    default:
      return "canary";
  }
}

uint32_t NumberOf(const v1::ValueLimits& limits) {
  if (limits.format() == v1::VALUE_FORMAT_SERVICE_CODE) return 206;
  if (limits.format() == v1::VALUE_FORMAT_FIELD_NO) return 301;
  return limits.maximum() == 0 ? 7 : limits.maximum();
}

void FillMessage(Message& message) {
  const auto* type = message.GetDescriptor();
  if (type == google::protobuf::Timestamp::descriptor()) {
    static_cast<google::protobuf::Timestamp&>(message).set_seconds(kTime);
  } else if (type == v1::Date::descriptor()) {
    auto& date = static_cast<v1::Date&>(message);
    date.set_year(2027);
    date.set_month(3);
    date.set_day(9);
  } else if (type == v1::TimeWindow::descriptor()) {
    auto& window = static_cast<v1::TimeWindow&>(message);
    window.set_from_minute(kTime / 60);
    window.set_to_minute(kTime / 60 + 30);
  } else if (type == v1::WeeklyWindow::descriptor()) {
    auto& window = static_cast<v1::WeeklyWindow&>(message);
    window.set_weekday(2);
    window.set_from_minute(540);
    window.set_to_minute(600);
  } else if (type == v1::Quarter::descriptor()) {
    auto& quarter = static_cast<v1::Quarter&>(message);
    quarter.set_year(2027);
    quarter.set_quarter(4);
  } else {
    Fill(message);
  }
}

}  // namespace

void FillField(Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const v1::ValueLimits& limits = field.options().GetExtension(v1::limits);
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      many ? reflection.AddString(&message, &field, TextOf(limits.format()))
           : reflection.SetString(&message, &field, TextOf(limits.format()));
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      many ? reflection.AddUInt32(&message, &field, NumberOf(limits))
           : reflection.SetUInt32(&message, &field, NumberOf(limits));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(&message, &field, kTime / 60);
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      reflection.SetBool(&message, &field, true);
      return;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* type = field.enum_type();
      const auto* last = type->value(type->value_count() - 1);
      many ? reflection.AddEnum(&message, &field, last)
           : reflection.SetEnum(&message, &field, last);
      return;
    }
    default:
      FillMessage(many ? *reflection.AddMessage(&message, &field)
                       : *reflection.MutableMessage(&message, &field));
  }
}

void Fill(Message& message) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.number() != kNotSaidNumber) FillField(message, field);
  }
}

}  // namespace waymark
