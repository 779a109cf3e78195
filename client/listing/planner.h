// Decides what an import does with each record of a source.
//
// A record becomes a service with an id that follows from organisation, source and record id, so
// that importing again finds what was imported before; a record that names a service of ours, as
// our own exports do, is that service. Handles say nothing of what a service is for: the source's
// name and digits. By its handle and id alone a published service is known to come from a source,
// hence what the source no longer has can be withdrawn without any memory of earlier imports.
//
// Nothing is published that lacks a field, has a word of rule N1 (until a person has looked at the
// record) or would uncover a confidential place.
//
// Pure but for what it has seen; one import, one planner, one thread. The catalogue outlives it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/schema/catalogue.h"
#include "client/listing/draft.h"
#include "waymark/local/v1/listing.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// A service as it is published, with what is known of its room.
struct PublishedService {
  v1::Service service;
  v1::Capacity capacity;
};

struct ImportContext {
  OrganisationId organisation;
  // Ids of the own units by their handles.
  std::map<std::string, std::string> units;
  // The unit of records that name none; may be empty when there is just one.
  std::string unit;
  // What the organisation has published.
  std::vector<PublishedService> published;
  // Name of the source, [a-z0-9-]{1,20}.
  std::string source;
  // For fields that a record does not have.
  v1::Service defaults;
  // Record ids whose texts a person has looked at.
  std::set<std::string> reviewed;
  absl::Time now;
};

// The id and the handle of the service that a record of a source becomes.
ServiceId ImportedServiceId(const OrganisationId& organisation, std::string_view source,
                            std::string_view record_id);
std::string ImportedHandle(std::string_view source, const ServiceId& id);

class Planner {
 public:
  // REASON_FIELD_INVALID: the source's name or the unit's is none.
  static absl::StatusOr<Planner> Create(const Catalogue& catalogue, ImportContext context);

  // Decides about a record and notes that the source has it. A second record with the same id is
  // INCOMPLETE. The service of the entry is set for ADDED, CHANGED, UNCHANGED and WITHDRAWN.
  local::v1::ImportEntry Judge(ListingDraft draft);

  // Notes that an earlier run has settled this record.
  void NoteSettled(const local::v1::ImportedRecord& settled);

  // After the last record: the published services that the source no longer has. None of them may
  // be withdrawn unless every record was identified.
  std::vector<local::v1::ImportEntry> Withdrawals() const;

  // Whether each record had its id. One without, because it is no JSON or the mapping failed on it,
  // may be that of any published service.
  bool identified() const { return !unidentified_; }

 private:
  Planner(const Catalogue& catalogue, ImportContext context);

  void NoteIdentity(local::v1::ImportOutcome outcome, std::string_view record_id);
  const PublishedService* FindPublished(const std::string& service_id) const;
  // Gives the draft's service its id, handle and unit and what the taxonomy and the defaults add.
  // Returns whether the day of verification is the source's own.
  bool Adopt(ListingDraft& draft) const;
  void AdoptUnit(ListingDraft& draft) const;
  void FillIn(v1::Service& service) const;
  void CheckRequired(ListingDraft& draft) const;
  void CheckConfidential(ListingDraft& draft, const PublishedService* published) const;
  // What is to be published of the record's room.
  std::optional<v1::Capacity> RoomOf(const ListingDraft& draft,
                                     const PublishedService* published) const;
  local::v1::ImportOutcome Decide(const ListingDraft& draft, const PublishedService* published,
                                  local::v1::ImportEntry& entry) const;

  const Catalogue& catalogue_;
  ImportContext context_;
  // Indexes into context_.published by service id.
  std::map<std::string, size_t> published_;
  std::set<std::string> record_ids_;
  std::set<std::string> service_ids_;
  bool unidentified_ = false;
};

// The fields in which two services differ.
std::vector<local::v1::FieldChange> ChangesBetween(const v1::Service& before,
                                                   const v1::Service& after);

// "ADDED".
std::string OutcomeWord(local::v1::ImportOutcome outcome);

}  // namespace waymark::node
