#include "client/casework/clarification.h"

#include "base/schema/field_registry.h"
#include "base/schema/value_format.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr int kMostFields = 16;

bool IsAnswer(v1::ClarificationCode code) {
  return code == v1::CLARIFICATION_CODE_ANSWERED ||
         code == v1::CLARIFICATION_CODE_PREFER_NOT_TO_SAY;
}

}  // namespace

absl::Status CheckClarification(const v1::Clarification& clarification) {
  const v1::ClarificationCode code = clarification.code();
  if (code == v1::CLARIFICATION_CODE_UNSPECIFIED || !v1::ClarificationCode_IsValid(code)) {
    return Error(v1::REASON_ENUM_UNKNOWN, "the code of the clarification is not known");
  }
  if (clarification.field_nos_size() > kMostFields) {
    return InvalidField("a question names at most 16 fields");
  }
  for (const uint32_t field_no : clarification.field_nos()) {
    if (FieldByNumber(field_no) == nullptr)
      return InvalidField("the question names an unknown field");
  }
  if (code == v1::CLARIFICATION_CODE_FIELDS_NEEDED && clarification.field_nos().empty()) {
    return InvalidField("FIELDS_NEEDED names the fields that are needed");
  }
  const std::string& condition = clarification.condition_id();
  if (code == v1::CLARIFICATION_CODE_CONDITION_ANSWER && condition.empty()) {
    return InvalidField("CONDITION_ANSWER names the condition");
  }
  if (!condition.empty() && !HasTextFormat(condition, v1::VALUE_FORMAT_CONDITION_ID)) {
    return InvalidField("the condition of a clarification is the id of a published one");
  }
  return absl::OkStatus();
}

const v1::Clarification* OpenQuestion(const local::v1::Referral& referral) {
  for (int i = referral.events_size() - 1; i >= 0; --i) {
    const local::v1::Event& event = referral.events(i);
    if (!event.has_clarification() || event.delivery() == v1::DELIVERY_STATE_REFUSED) continue;
    const bool open = !event.sent() && !IsAnswer(event.clarification().code());
    return open ? &event.clarification() : nullptr;
  }
  return nullptr;
}

std::set<uint32_t> FieldsAskedFor(const v1::Clarification& question) {
  std::set<uint32_t> fields(question.field_nos().begin(), question.field_nos().end());
  const auto add = [&fields](const char* name) { fields.insert(FieldByName(name)->field_no); };
  switch (question.code()) {
    case v1::CLARIFICATION_CODE_CONDITION_ANSWER:
      add("ELIG.condition_id");
      add("ELIG.answer");
      break;
    case v1::CLARIFICATION_CODE_OTHER_DATES:
      add("NEED.earliest_start");
      add("NEED.latest_start");
      break;
    case v1::CLARIFICATION_CODE_SMALLER_QUANTITY:
      add("NEED.quantity");
      break;
    default:
      break;
  }
  return fields;
}

}  // namespace waymark::node
