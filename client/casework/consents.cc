#include "client/casework/consents.h"

#include <algorithm>
#include <utility>

#include "base/crypto/hash.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/composer.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

constexpr std::string_view kDigestLabel = "waymark/v1/read-back";

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
  return Sha256(kDigestLabel, {bare.SerializeAsString(), text});
}

std::string Date(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string LabelOf(const Catalogue& catalogue, const google::protobuf::EnumDescriptor& type,
                    int number) {
  const auto* value = type.FindValueByNumber(number);
  return value == nullptr ? std::to_string(number) : catalogue.ValueLabel(*value);
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

std::vector<std::string> ReadBackLines(const CaseworkContext& context,
                                       const DirectorySnapshot& directory, const v1::Case& person,
                                       const v1::ConsentRecord& consent) {
  const Catalogue& catalogue = context.catalogue;
  std::vector<std::string> lines;
  for (const std::string& bytes : consent.recipient_units()) {
    const auto unit = UnitId::FromBytes(bytes);
    if (!unit) continue;
    const UnitEntry* entry = directory.FindUnit(*unit);
    const MemberEntry* member = directory.MemberOf(*unit);
    if (entry == nullptr || member == nullptr) continue;
    lines.push_back("We would share this with " + entry->unit.display_name() + " (" +
                    member->member.display_name() + ") and nobody else there or elsewhere.");
    if (member->profile) {
      for (const int duty : member->profile->reporting_duties()) {
        lines.push_back("The law may make them report: " +
                        LabelOf(catalogue, *v1::ReportingDuty_descriptor(), duty) + ".");
      }
    }
  }
  for (const uint32_t purpose : consent.purposes()) {
    lines.push_back("It is for: " + catalogue.ServiceLabel(purpose) + ".");
  }
  const std::set<uint32_t> known = FieldNumbersIn(person.sections());
  for (const uint32_t field_no : consent.scope_fields()) {
    const FieldInfo* field = FieldByNumber(field_no);
    if (field == nullptr) continue;
    std::string line = "They may be told: " + catalogue.FieldLabel(*field);
    if (field->section != v1::SECTION_NEED && field->section != v1::SECTION_REF &&
        known.count(field_no) == 0) {
      line += " (nothing is noted about this)";
    }
    lines.push_back(line + ".");
  }
  lines.push_back("At most until they have been asked and reached this stage: " +
                  LabelOf(catalogue, *v1::Stage_descriptor(), consent.stage_ceiling()) + ".");
  lines.push_back("It ends at " + Date(consent.valid_until()) + ".");
  lines.emplace_back("It travels sealed through the network's hub, which cannot read it.");
  lines.emplace_back("You can say no, to all or to any part, and still get every service here.");
  lines.emplace_back("You can take it back at any time, by telling us; no reason is needed.");
  return lines;
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
  const auto lines = ReadBackLines(context_, *directory, person, consent);
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
        !ConstantTimeEquals(DigestOf(consent, ReadBackLines(context_, *directory, person, consent)),
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
