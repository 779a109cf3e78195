#include "client/delivery/intake.h"

#include <algorithm>
#include <utility>

#include "base/crypto/hash.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/delivery/report.h"
#include "client/mapping/finding.h"
#include "client/vault/typed.h"

namespace waymark::node {

using local::v1::FeedPosition;
using local::v1::RefusedFeedItem;

namespace {

// How often a mapping is run that crashed or was short of time or memory.
constexpr int kMappingAttempts = 3;

ItemId IdOf(std::string_view label, std::string_view connector, std::string_view text,
            std::string_view part) {
  return *ItemId::FromBytes(Sha256(label, {connector, text, part}).substr(0, ItemId::kSize));
}

std::string_view NameOf(Feed feed) { return feed == Feed::kCapacity ? "capacity" : "updates"; }

// What another time may do better: it says nothing about the item.
bool IsPassing(v1::Reason reason) {
  return reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_DATA_CORRUPT ||
         reason == v1::REASON_MAPPING_UNAVAILABLE;
}

// The consent is held against an update where it is done, by the evaluator that judges what is
// typed.
std::vector<PolicyFinding> NoJudge(const v1::LocalUpdate&) { return {}; }

MappingFinding FindingOf(const absl::Status& status) {
  return {ReasonOf(status), "", std::string(status.message())};
}

}  // namespace

Intake::Intake(const CaseworkContext& context, const LocalTarget& target, PublishRoom publish,
               AlertPeople alert)
    : context_(context),
      target_(target),
      publish_(std::move(publish)),
      alert_(alert),
      provider_(context),
      health_(target.name, "cannot be read", "can be read again", std::move(alert)) {}

absl::Status Intake::ReadFeeds(const std::function<bool()>& stop) {
  if (target_.inward.has_value()) RETURN_IF_ERROR(ReadFeed(Feed::kUpdates, stop));
  if (target_.capacity.has_value()) RETURN_IF_ERROR(ReadFeed(Feed::kCapacity, stop));
  return absl::OkStatus();
}

absl::Status Intake::ReadFeed(Feed feed, const std::function<bool()>& stop) {
  const ItemId position_id = IdOf("waymark local feed", target_.name, NameOf(feed), "");
  FeedPosition position;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    auto stored = GetAs<FeedPosition>(reader, DocumentKind::kFeedPosition, position_id);
    if (ReasonOf(stored.status()) == v1::REASON_NOT_FOUND) return absl::OkStatus();
    ASSIGN_OR_RETURN(position, std::move(stored));
    return absl::OkStatus();
  }));
  bool more = true;
  while (more && !stop()) {
    auto page = target_.connector->Read(feed, position.cursor());
    if (!page.ok()) {
      health_.NoteFailing(ReasonOf(page.status()));
      return absl::OkStatus();
    }
    health_.NoteWell();
    for (const std::string& notice : page->notices) {
      alert_(v1::REASON_LOCAL_SYSTEM_REFUSED, "The local system '" + target_.name + "': " + notice);
    }
    for (const std::string& text : page->items) RETURN_IF_ERROR(Take({feed, text}));
    if (page->items.empty() && page->cursor == position.cursor()) return absl::OkStatus();
    position.set_cursor(page->cursor);
    RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) {
      return PutMessage(t, DocumentKind::kFeedPosition, position_id, {}, position);
    }));
    const absl::Status taken = target_.connector->Taken(feed, position.cursor());
    if (!taken.ok()) {
      health_.NoteFailing(ReasonOf(taken));
      return absl::OkStatus();
    }
    more = page->more;
  }
  return absl::OkStatus();
}

absl::Status Intake::Take(const Item& item) {
  ASSIGN_OR_RETURN(const Verdict verdict, ActOn(item));
  return verdict.findings.empty() ? absl::OkStatus() : Keep(item, verdict);
}

absl::StatusOr<Intake::Verdict> Intake::ActOn(const Item& item) {
  return item.feed == Feed::kCapacity ? ActOnRoom(item.text) : ActOnUpdates(item.text);
}

absl::StatusOr<std::vector<std::string>> Intake::Run(const MappingProgram& mapping,
                                                     std::string_view text) {
  absl::StatusOr<std::vector<std::string>> outputs;
  for (int attempt = 0; attempt < kMappingAttempts; ++attempt) {
    MappingArgs args = target_.args;
    args["now"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", context_.clock.Now(), absl::UTCTimeZone());
    outputs = target_.runner->Run(mapping, text, args);
    const v1::Reason reason = ReasonOf(outputs.status());
    if (reason != v1::REASON_MAPPING_CRASHED && reason != v1::REASON_MAPPING_TIME &&
        reason != v1::REASON_MAPPING_MEMORY) {
      break;
    }
  }
  return outputs;
}

absl::StatusOr<Intake::Verdict> Intake::ActOnUpdates(std::string_view text) {
  Verdict verdict;
  const auto outputs = Run(*target_.inward, text);
  if (!outputs.ok()) {
    if (IsPassing(ReasonOf(outputs.status()))) return outputs.status();
    return Verdict{.findings = {FindingOf(outputs.status())}};
  }
  for (size_t i = 0; i < outputs->size(); ++i) {
    v1::LocalUpdate update;
    std::vector<MappingFinding> faults = ReadCanonical((*outputs)[i], update);
    if (const auto referral = ReferralId::FromBytes(update.referral_id())) {
      verdict.referral = referral;
    }
    if (faults.empty()) faults = CheckUpdate(update, NoJudge);
    if (faults.empty()) faults = FindSurplus(update);
    if (faults.empty()) {
      const ItemId id = IdOf("waymark local update", target_.name, text, std::to_string(i));
      const absl::Status done = Do(update, *MessageId::FromBytes(id.view()));
      if (IsPassing(ReasonOf(done))) return done;
      if (!done.ok()) faults.push_back(FindingOf(done));
    }
    std::move(faults.begin(), faults.end(), std::back_inserter(verdict.findings));
  }
  return verdict;
}

absl::Status Intake::Do(const v1::LocalUpdate& update, const MessageId& message) {
  const ReferralId id = *ReferralId::FromBytes(update.referral_id());
  UnitId unit;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const local::v1::Referral referral, LoadReferral(reader, id));
    unit = *UnitId::FromBytes(referral.own_unit());
    const bool ours = target_.units.empty() || target_.units.contains(unit);
    if (ours && !referral.originated()) return absl::OkStatus();
    return Error(v1::REASON_REFERRAL_UNKNOWN, "this local system has no referral " + id.hex());
  }));
  const Actor actor = {
      .name = "local:" + target_.name, .role = v1::STAFF_ROLE_CASEWORKER, .units = {unit}};
  return DoReported(provider_, context_.catalogue, actor, update, message);
}

absl::Status Intake::CheckOurs(const v1::Capacity& capacity) const {
  if (target_.units.empty()) return absl::OkStatus();
  const auto directory = context_.directory();
  const auto id = ServiceId::FromBytes(capacity.service_id());
  const ServiceEntry* service = id.has_value() ? directory->FindService(*id) : nullptr;
  // What is wrong with a service that nobody knows is said where it is published.
  if (service == nullptr || target_.units.contains(service->unit)) return absl::OkStatus();
  return Error(v1::REASON_UNIT_NOT_OWN,
               "the room is in a service of a unit that this connector is not for");
}

absl::StatusOr<Intake::Verdict> Intake::ActOnRoom(std::string_view text) {
  Verdict verdict;
  const auto outputs = Run(*target_.capacity, text);
  if (!outputs.ok()) {
    if (IsPassing(ReasonOf(outputs.status()))) return outputs.status();
    return Verdict{.findings = {FindingOf(outputs.status())}};
  }
  for (const std::string& output : *outputs) {
    v1::Capacity capacity;
    std::vector<MappingFinding> faults = ReadCanonical(output, capacity);
    if (faults.empty()) {
      absl::Status published = CheckOurs(capacity);
      if (published.ok()) published = publish_(capacity).status();
      if (IsPassing(ReasonOf(published))) return published;
      if (!published.ok()) faults.push_back(FindingOf(published));
    }
    std::move(faults.begin(), faults.end(), std::back_inserter(verdict.findings));
  }
  return verdict;
}

absl::Status Intake::Keep(const Item& item, const Verdict& verdict) {
  const ItemId id = IdOf("waymark local item", target_.name, item.text, NameOf(item.feed));
  RefusedFeedItem kept;
  kept.set_item_id(id.bytes());
  kept.set_connector(target_.name);
  kept.set_capacity(item.feed == Feed::kCapacity);
  kept.set_item(std::string(item.text));
  for (const MappingFinding& finding : verdict.findings) {
    local::v1::ItemFinding& shown = *kept.add_findings();
    shown.set_reason(finding.reason);
    shown.set_field(finding.field);
    shown.set_text(finding.text);
  }
  kept.set_at_ms(ToMillis(context_.clock.Now()));
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    DocumentId parent;
    if (verdict.referral.has_value()) {
      const auto referral = LoadReferral(t, *verdict.referral);
      if (referral.ok()) {
        parent = *verdict.referral;
        kept.set_referral_id(verdict.referral->bytes());
      }
      // What is reported of somebody who has withdrawn is not to be kept anew.
      if (referral.ok() && referral->erased_at_ms() != 0) kept.clear_item();
    }
    RETURN_IF_ERROR(t.Delete(DocumentKind::kRefusedItem, id));
    return PutMessage(t, DocumentKind::kRefusedItem, id, parent, kept);
  }));
  const v1::Reason reason = verdict.findings.front().reason;
  Log(LogLevel::kWarning, "local_item_refused",
      {{"connector", target_.name}, {"item", id}, {"reason", ReasonName(reason)}});
  alert_(reason, "The local system '" + target_.name +
                     "' reported something that was not acted on; 'waymark local items' shows "
                     "what speaks against it.");
  return absl::OkStatus();
}

absl::Status Intake::Retry(const ItemId& id) {
  RefusedFeedItem kept;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(kept, GetAs<RefusedFeedItem>(reader, DocumentKind::kRefusedItem, id));
    return absl::OkStatus();
  }));
  const Item item = {kept.capacity() ? Feed::kCapacity : Feed::kUpdates, kept.item()};
  const bool mapped = kept.capacity() ? target_.capacity.has_value() : target_.inward.has_value();
  if (kept.connector() != target_.name || !mapped || kept.item().empty()) {
    return Error(v1::REASON_NOT_FOUND, "there is nothing to try again of item " + id.hex());
  }
  ASSIGN_OR_RETURN(const Verdict verdict, ActOn(item));
  if (verdict.findings.empty()) return DropRefusedItem(context_.vault, id);
  RETURN_IF_ERROR(Keep(item, verdict));
  return ToStatus("item " + id.hex(), verdict.findings);
}

absl::StatusOr<std::vector<RefusedFeedItem>> ListRefusedItems(const Vault& vault) {
  std::vector<RefusedFeedItem> items;
  RETURN_IF_ERROR(vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(auto found,
                     ParseAll<RefusedFeedItem>(reader.List(DocumentKind::kRefusedItem)));
    for (auto& [unused, item] : found) items.push_back(std::move(item));
    return absl::OkStatus();
  }));
  std::reverse(items.begin(), items.end());
  return items;
}

absl::Status DropRefusedItem(Vault& vault, const ItemId& id) {
  return vault.Write([&](Transaction& t) { return t.Delete(DocumentKind::kRefusedItem, id); });
}

}  // namespace waymark::node
