// One record of a source on its way into the directory: what it says in the directory's terms, and
// what speaks against it. Readers make drafts; the planner decides about them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/local/v1/listing.pb.h"

namespace waymark::node {

struct ListingDraft {
  // The record's place in the source, from 1.
  uint64_t ordinal = 0;
  local::v1::SourceRecord record;
  std::vector<local::v1::RecordFinding> findings;
  // The mapping returned nothing: the administrator wants no service of it.
  bool left_out = false;
  // Paths that have no counterpart in the directory.
  std::set<std::string> left_behind;

  void Add(local::v1::RecordFindingKind kind, std::string_view field, std::string_view text) {
    local::v1::RecordFinding& finding = findings.emplace_back();
    finding.set_kind(kind);
    finding.set_field(std::string(field));
    finding.set_text(std::string(text));
  }
};

}  // namespace waymark::node
