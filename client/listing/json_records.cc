#include "client/listing/json_records.h"

#include "base/status/status.h"
#include "client/listing/record_value.h"

namespace waymark::node {
namespace {

absl::Status Cut() { return Error(v1::REASON_MALFORMED, "the file ends within a record"); }

absl::Status NotJson() { return Error(v1::REASON_MALFORMED, "the file is not JSON"); }

absl::Status TooLarge() { return Error(v1::REASON_MALFORMED, "a record is larger than 4 MiB"); }

bool IsSpace(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// An organisation, which has an id, is one record with its services; a page of services is many.
bool HoldsRecords(const std::string& quoted, bool has_id) {
  return quoted == "\"contents\"" || quoted == "\"features\"" ||
         (quoted == "\"services\"" && !has_id);
}

}  // namespace

int JsonRecords::Get() {
  const int c = in_.get();
  if (c != std::istream::traits_type::eof()) ++position_;
  return c;
}

int JsonRecords::PeekBeyondSpace() {
  while (IsSpace(in_.peek())) Get();
  return in_.peek();
}

absl::Status JsonRecords::TakeString(std::string& text) {
  text += static_cast<char>(Get());
  bool escaped = false;
  while (true) {
    const int c = Get();
    if (c < 0) return Cut();
    if (text.size() >= kMaxRecordBytes) return TooLarge();
    text += static_cast<char>(c);
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      return absl::OkStatus();
    }
  }
}

absl::StatusOr<std::string> JsonRecords::Value() {
  std::string text;
  int depth = 0;
  while (true) {
    const int c = in_.peek();
    if (c < 0) {
      if (depth > 0 || text.empty()) return Cut();
      return text;
    }
    if (c == '"') {
      RETURN_IF_ERROR(TakeString(text));
      if (depth == 0) return text;
      continue;
    }
    if (depth == 0 && !text.empty() && (c == ',' || c == ']' || c == '}' || IsSpace(c))) {
      return text;
    }
    if (depth == 0 && (c == ',' || c == ']' || c == '}' || c == ':')) return NotJson();
    if (text.size() >= kMaxRecordBytes) return TooLarge();
    text += static_cast<char>(Get());
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth == 0 && (c == '}' || c == ']')) return text;
  }
}

absl::StatusOr<std::optional<std::string>> JsonRecords::NextInList() {
  int c = PeekBeyondSpace();
  if (c == ',') {
    if (first_) return NotJson();
    Get();
    c = PeekBeyondSpace();
    if (c == ']' || c == ',') return NotJson();
  }
  if (c < 0) return Cut();
  if (c == ']') {
    Get();
    place_ = Place::kAfterList;
    RETURN_IF_ERROR(SkipRest());
    return std::nullopt;
  }
  first_ = false;
  ASSIGN_OR_RETURN(std::string text, Value());
  // What follows an entry is a comma or the end of the list.
  c = PeekBeyondSpace();
  if (c < 0) return Cut();
  if (c != ',' && c != ']') return NotJson();
  return text;
}

absl::Status JsonRecords::SkipRest() {
  while (enclosed_) {
    const int c = PeekBeyondSpace();
    if (c < 0) return Cut();
    if (c == '}') {
      Get();
      enclosed_ = false;
    } else if (c == ',' || c == ':') {
      Get();
    } else {
      RETURN_IF_ERROR(Value().status());
    }
  }
  if (PeekBeyondSpace() >= 0) return NotJson();
  place_ = Place::kEnd;
  return absl::OkStatus();
}

// An object is taken member by member: one of them may turn out to be the list of records.
absl::StatusOr<std::optional<std::string>> JsonRecords::NextObject() {
  std::string text(1, static_cast<char>(Get()));
  bool has_id = false;
  while (true) {
    int c = PeekBeyondSpace();
    if (c < 0) return Cut();
    if (c == '}' || c == ',') {
      text += static_cast<char>(Get());
      if (c == ',') continue;
      place_ = Place::kBetweenObjects;
      return text;
    }
    if (c != '"') return NotJson();
    std::string name;
    RETURN_IF_ERROR(TakeString(name));
    if (PeekBeyondSpace() != ':') return in_.peek() < 0 ? Cut() : NotJson();
    Get();
    c = PeekBeyondSpace();
    if (c == '[' && HoldsRecords(name, has_id) && place_ == Place::kStart) {
      Get();
      enclosed_ = true;
      place_ = Place::kInList;
      return NextInList();
    }
    ASSIGN_OR_RETURN(const std::string value, Value());
    text += name;
    text += ':';
    text += value;
    if (name == "\"id\"") has_id = true;
    if (text.size() > kMaxRecordBytes) return TooLarge();
  }
}

absl::StatusOr<std::optional<std::string>> JsonRecords::Next() {
  if (place_ == Place::kEnd) return std::nullopt;
  if (place_ == Place::kInList) return NextInList();
  if (place_ == Place::kStart) {
    // The byte order mark of UTF-8.
    for (const int mark : {0xEF, 0xBB, 0xBF}) {
      if (in_.peek() == mark) Get();
    }
  }
  const int c = PeekBeyondSpace();
  if (c < 0) {
    if (place_ == Place::kStart) return Error(v1::REASON_MALFORMED, "the file is empty");
    place_ = Place::kEnd;
    return std::nullopt;
  }
  if (c == '[' && place_ == Place::kStart) {
    Get();
    place_ = Place::kInList;
    return NextInList();
  }
  if (c == '{') return NextObject();
  return NotJson();
}

}  // namespace waymark::node
