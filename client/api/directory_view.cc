#include "client/api/directory_view.h"

#include <algorithm>

namespace waymark::node {
namespace {

bool Serves(const v1::Service& service, const std::string& area) {
  const auto& areas = service.service_areas();
  return service.remote_delivery() || std::find(areas.begin(), areas.end(), area) != areas.end();
}

}  // namespace

std::vector<Candidate> CandidatesIn(const DirectorySnapshot& directory, uint32_t code,
                                    absl::Time now) {
  std::vector<Candidate> candidates;
  const std::vector<const ServiceEntry*> services =
      code == 0 ? directory.OpenServices(now) : directory.OpenServices(now, code);
  candidates.reserve(services.size());
  for (const ServiceEntry* entry : services) {
    const UnitEntry* unit = directory.FindUnit(entry->unit);
    const MemberEntry* member = directory.FindMember(entry->organisation);
    if (unit == nullptr || member == nullptr) continue;
    const v1::Capacity capacity = DirectorySnapshot::CapacityAt(*entry, now);
    Candidate candidate;
    candidate.service = &entry->service;
    candidate.unit = &unit->unit;
    candidate.member = &member->member;
    candidate.organisation = member->id;
    candidate.profile = member->profile ? &*member->profile : nullptr;
    candidate.capacity = capacity.status();
    if (capacity.has_available()) candidate.available = capacity.available();
    if (capacity.status() != v1::CAPACITY_STATUS_UNKNOWN) {
      candidate.capacity_until = absl::FromUnixSeconds(capacity.valid_until_minute() * 60);
    }
    candidates.push_back(candidate);
  }
  return candidates;
}

v1::ListDirectoryResponse ViewDirectory(const DirectorySnapshot& directory,
                                        const v1::ListDirectoryRequest& request, absl::Time now) {
  v1::ListDirectoryResponse response;
  for (const MemberEntry* member : directory.members()) {
    v1::DirectoryMember* shown = response.add_members();
    shown->set_organisation_id(member->id.bytes());
    *shown->mutable_member() = member->member;
    if (member->profile) *shown->mutable_profile() = *member->profile;
    shown->set_identity_key_fingerprint(member->identity_key.fingerprint());
    shown->set_identity_key_changed(member->key_changed);
  }
  for (const Candidate& candidate : CandidatesIn(directory, request.code(), now)) {
    if (!request.area().empty() && !Serves(*candidate.service, request.area())) continue;
    *response.add_services() = ListingOf(candidate);
  }
  return response;
}

}  // namespace waymark::node
