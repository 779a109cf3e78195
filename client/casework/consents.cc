#include "client/casework/consents.h"

#include <algorithm>
#include <utility>

#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/composer.h"
#include "client/casework/read_back.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

constexpr std::string_view kReadBackLabel = "waymark/v1/read-back";

std::string DigestOf(const v1::ConsentRecord& consent, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  v1::ConsentRecord bare = consent;
  // What is confirmed afterwards cannot be part of what is confirmed.
  bare.clear_readback_confirmed();
  bare.clear_captured_at();
  bare.clear_copy_given();
  bare.clear_state();
  bare.clear_events();
  return Sha256(kReadBackLabel, {bare.SerializeAsString(), text});
}

// The units that the directory knows, as the read-back names them.
std::vector<ReadBackParty> PartiesOf(const DirectorySnapshot& directory,
                                     const google::protobuf::RepeatedPtrField<std::string>& units) {
  std::vector<ReadBackParty> parties;
  for (const std::string& bytes : units) {
    const auto id = UnitId::FromBytes(bytes);
    const UnitEntry* unit = id ? directory.FindUnit(*id) : nullptr;
    const MemberEntry* member = id ? directory.MemberOf(*id) : nullptr;
    if (unit == nullptr || member == nullptr) continue;
    parties.push_back({.unit = &unit->unit,
                       .member = &member->member,
                       .profile = member->profile ? &*member->profile : nullptr});
  }
  return parties;
}

std::vector<std::string> LinesFor(const CaseworkContext& context,
                                  const DirectorySnapshot& directory, const v1::Case& person,
                                  const v1::ConsentRecord& consent) {
  return ReadBackLines(context.catalogue, consent,
                       {.recipients = PartiesOf(directory, consent.recipient_units()),
                        .onward = PartiesOf(directory, consent.onward_recipients()),
                        .noted = FieldNumbersIn(person.sections())});
}

bool IsRefusal(const v1::ConsentRecord& consent) {
  return consent.state() == v1::CONSENT_STATE_REFUSED;
}

}  // namespace

absl::StatusOr<v1::ConsentRecord> LoadConsent(const Reader& reader, const ConsentId& id) {
  auto consent = GetAs<v1::ConsentRecord>(reader, DocumentKind::kConsent, id);
  if (!consent.ok() && ReasonOf(consent.status()) == v1::REASON_NOT_FOUND) {
    return Error(v1::REASON_CONSENT_MISSING, "C1: this node has no consent of this id");
  }
  return consent;
}

absl::Status SaveConsent(Transaction& transaction, const v1::ConsentRecord& consent) {
  return PutMessage(transaction, DocumentKind::kConsent,
                    *ConsentId::FromBytes(consent.consent_id()),
                    *CaseId::FromBytes(consent.case_id()), consent);
}

absl::StatusOr<v1::ReadBackConsentResponse> Consents::ReadBack(const Actor& actor,
                                                               const v1::ConsentRecord& draft) {
  const auto directory = context_.directory();
  ASSIGN_OR_RETURN(const v1::ConsentRecord consent, Complete(*directory, draft));
  RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(consent.controller_unit())));
  v1::Case person;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(person, LoadCase(reader, *CaseId::FromBytes(consent.case_id())));
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const auto findings, Examine(*directory, consent));
  v1::ReadBackConsentResponse response;
  const auto lines = LinesFor(context_, *directory, person, consent);
  response.mutable_lines()->Assign(lines.begin(), lines.end());
  response.set_digest(DigestOf(consent, lines));
  *response.mutable_findings() = ToProto(findings);
  return response;
}

absl::Status Consents::Record(const Actor& actor, const v1::RecordConsentRequest& request) {
  const auto directory = context_.directory();
  ASSIGN_OR_RETURN(v1::ConsentRecord consent, Complete(*directory, request.consent()));
  RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(consent.controller_unit())));
  if (!IsRefusal(consent)) {
    ASSIGN_OR_RETURN(const auto findings, Examine(*directory, consent));
    RETURN_IF_ERROR(ToStatus(findings));
  }
  v1::ConsentEvent& event = *consent.add_events();
  event.set_state(consent.state());
  event.mutable_at()->set_seconds(absl::ToUnixSeconds(FloorMinute(context_.clock.Now())));
  const auto id = ConsentId::FromBytes(consent.consent_id());
  return context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Case person, LoadCase(t, *CaseId::FromBytes(consent.case_id())));
    if (person.unit_id() != consent.controller_unit()) {
      return Error(v1::REASON_FIELD_INVALID, "controller_unit is not the unit that leads the case");
    }
    for (const std::string& unit : consent.recipient_units()) {
      const MemberEntry* member = directory->MemberOf(*UnitId::FromBytes(unit));
      for (const std::string& excluded : person.excluded()) {
        if (excluded == unit || (member != nullptr && excluded == member->id.bytes())) {
          return Error(v1::REASON_EXCLUDED, "C3: the person excluded a recipient");
        }
      }
    }
    if (!IsRefusal(consent) &&
        !ConstantTimeEquals(DigestOf(consent, LinesFor(context_, *directory, person, consent)),
                            request.readback_digest())) {
      return Error(v1::REASON_PREVIEW_REQUIRED, "the read-back of this consent was not confirmed");
    }
    const auto before = GetAs<v1::ConsentRecord>(t, DocumentKind::kConsent, *id);
    if (before.ok()) {
      v1::ConsentRecord old = *before;
      old.clear_events();
      v1::ConsentRecord repeated = consent;
      repeated.clear_events();
      return old.SerializeAsString() == repeated.SerializeAsString()
                 ? absl::OkStatus()
                 : Error(v1::REASON_ID_REUSED, "another consent has this id");
    }
    return SaveConsent(t, consent);
  });
}

absl::StatusOr<std::vector<v1::ConsentRecord>> Consents::List(const Actor& actor,
                                                              const CaseId& person_id) {
  std::vector<v1::ConsentRecord> consents;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Case person, LoadCase(reader, person_id));
    RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(person.unit_id())));
    ASSIGN_OR_RETURN(auto all,
                     ParseAll<v1::ConsentRecord>(reader.List(DocumentKind::kConsent, person_id)));
    for (auto& [unused, consent] : all) consents.push_back(std::move(consent));
    return absl::OkStatus();
  }));
  return consents;
}

absl::StatusOr<v1::ConsentRecord> Consents::Complete(const DirectorySnapshot& directory,
                                                     v1::ConsentRecord consent) const {
  if (!ConsentId::FromBytes(consent.consent_id()) || !CaseId::FromBytes(consent.case_id()) ||
      !UnitId::FromBytes(consent.controller_unit())) {
    return Error(v1::REASON_FIELD_INVALID,
                 "consent_id, case_id and controller_unit are 16 bytes each");
  }
  for (const std::string& unit : consent.recipient_units()) {
    if (!UnitId::FromBytes(unit)) {
      return Error(v1::REASON_FIELD_INVALID, "a recipient unit of the consent is not 16 bytes");
    }
  }
  if (consent.policy_pack().empty()) {
    consent.set_policy_pack(PackOf(directory, *UnitId::FromBytes(consent.controller_unit())));
  }
  if (consent.version() == 0) consent.set_version(1);
  if (consent.retention_at_recipient_days() == 0) {
    const v1::PolicyPack* pack = context_.catalogue.FindPack(consent.policy_pack());
    if (pack == nullptr) {
      return Error(v1::REASON_FIELD_INVALID, "the consent names an unknown policy pack");
    }
    consent.set_retention_at_recipient_days(pack->retention_days());
  }
  return consent;
}

absl::StatusOr<std::vector<PolicyFinding>> Consents::Examine(
    const DirectorySnapshot& directory, const v1::ConsentRecord& consent) const {
  std::vector<ProviderFacts> providers;
  for (const std::string& bytes : consent.recipient_units()) {
    const auto unit = UnitId::FromBytes(bytes);
    if (directory.FindUnit(*unit) == nullptr) {
      return Error(v1::REASON_UNIT_UNKNOWN, "a recipient of the consent is not in the directory");
    }
    providers.push_back(FactsOf(directory, *unit, 0, nullptr));
  }
  return EvaluateConsent(context_.catalogue, consent,
                         PackOf(directory, *UnitId::FromBytes(consent.controller_unit())),
                         providers);
}

}  // namespace waymark::node
