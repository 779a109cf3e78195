// What people write, turned into fields of messages: "LANG.preferred_language=ti".
//
// Everything goes by reflection, so that a new field of the schema needs nothing here. Written are:
//   enums       their name without prefix, in any case: ONE, no-camera
//   flags       yes or no
//   numbers     digits; where field numbers are meant, also names such as LANG.preferred_language
//   times       2027-03-09T20:30 (local time) or with a zone, 2027-03-09T20:30:00Z
//   days        2027-03-09; spans of days 2027-03-09/2027-03-12
//   windows     2027-03-09T21:15/21:45; weekly windows MON 09:00-17:00
//   quarters    2027-Q2
//   ids         32 hexadecimal digits, base64, or a name that the resolver knows
//   lists       separated by commas
//   the rest    canonical JSON
// Errors name the field and never repeat the value. Pure; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// Returns the 16 bytes that a name stands for in this field.
using IdResolver = std::function<absl::StatusOr<std::string>(
    const google::protobuf::FieldDescriptor& field, const std::string& name)>;

struct ValueReader {
  absl::TimeZone zone = absl::UTCTimeZone();
  // Optional: without it, ids are digits or base64.
  IdResolver resolve;
};

// What stands for a field that the person preferred not to say.
inline constexpr char kNotSaid[] = "@not-said";

// Reads an id of 16 bytes. FIELD_INVALID: neither 32 hexadecimal digits nor its base64.
absl::StatusOr<std::string> ParseId(std::string_view text);

// Reads a point in time. FIELD_INVALID names `what`.
absl::StatusOr<absl::Time> ParseTime(const std::string& what, const std::string& text,
                                     const absl::TimeZone& zone);

// Reads yes or no. FIELD_INVALID names `what`.
absl::StatusOr<bool> ParseFlag(const std::string& what, const std::string& text);

// Reads a value of an enum. ENUM_UNKNOWN names `what` and lists the values.
absl::StatusOr<int> ParseEnum(const std::string& what, const google::protobuf::EnumDescriptor& type,
                              const std::string& text);

// Returns a value's name without its prefix.
std::string WordOf(const google::protobuf::EnumValueDescriptor& value);

// Sets one field of `message`, replacing its value; an empty text clears it. `path` stands for the
// message in errors. FIELD_INVALID: there is no such field, or the text is no value of it.
absl::Status AssignField(const ValueReader& reader, const std::string& path,
                         const std::string& field, const std::string& text,
                         google::protobuf::Message& message, char separator = ',');

// Sets "SECTION.field=VALUE". Sections of which there are several (ELIG, DEPN, GOAL) are refused;
// see AddEntry.
absl::Status AssignSectionField(const ValueReader& reader, const std::string& assignment,
                                v1::Sections& sections);

// Sets "field=VALUE" of one section, for example of NEED.
absl::Status AssignIn(const ValueReader& reader, const std::string& assignment,
                      google::protobuf::Message& section);

// Adds an entry of a section of which there are several, from "field=VALUE,field=VALUE"; lists
// within are separated by '+'.
absl::Status AddEntry(const ValueReader& reader, v1::Section section,
                      const std::string& assignments, v1::Sections& sections);

// Sets the answer to a published condition from "CONDITION=ANSWER[,alternatives_seen=yes]".
absl::Status SetCondition(const ValueReader& reader, const std::string& text,
                          v1::Sections& sections);

}  // namespace waymark::node
