// The sections of a payload, field by field: what is there, and what is left after some are
// dropped.
//
// By reflection over v1::Sections, so that a new section or field needs no code here. Pure
// functions; thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "base/schema/field_registry.h"
#include "google/protobuf/message.h"
#include "waymark/v1/message.pb.h"

namespace waymark {

// Calls `visit` for every section that is set, with its index among several or -1 for a single one.
void ForEachSection(const v1::Sections& sections,
                    absl::FunctionRef<void(const google::protobuf::Message&, int)> visit);

// One field of one section as it stands in a payload.
struct FieldOccurrence {
  // Neither is null.
  const FieldInfo* field = nullptr;
  const google::protobuf::Message* section = nullptr;
  // Which of several: an ELIG answer's condition id, another repeated section's place, else empty.
  std::string entry;
};

// Calls `visit` for every field that has a value in `sections` or is listed as not said.
void ForEachField(const v1::Sections& sections,
                  absl::FunctionRef<void(const FieldOccurrence&)> visit);

// Whether the occurrence says something about the person that a reader could use: every value does,
// zero and "prefer not to say" included, but for UNKNOWN.
bool SaysSomething(const FieldOccurrence& occurrence);

// The field numbers that have a value in `sections`, or are listed as not said.
std::set<uint32_t> FieldNumbersIn(const v1::Sections& sections);

// A copy of `sections` with these fields alone: without fields that the schema does not know, and
// without sections that have become empty.
v1::Sections KeepFields(const v1::Sections& sections, const std::set<uint32_t>& field_nos);

}  // namespace waymark
