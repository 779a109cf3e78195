#include "tests/torture/course.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/schema/date.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"

namespace waymark::torture {
namespace {

using testing::NodeStub;

// Ids as they stand in the history.
std::string ShortName(const std::string& id) { return absl::BytesToHexString(id.substr(0, 8)); }

// The node could not answer, or its answer was lost.
bool Unanswered(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

// Somebody whose case no other of the unit is called like.
testing::Person Somebody(Random& random) {
  testing::Person person = testing::Sara();
  person.label = ShortName(random.Bytes(8));
  return person;
}

// After a withdrawal the hub drops what waits and its receipts: no more is heard of what it had
// confirmed, but for the REVOKE.
bool OnItsWay(const v1::ReferralEvent& event, bool withdrawn) {
  if (event.delivery() == v1::DELIVERY_STATE_QUEUED) return true;
  return event.delivery() == v1::DELIVERY_STATE_CONFIRMED &&
         (!withdrawn || event.kind() == v1::KIND_REVOKE);
}

}  // namespace

Course::Course(testing::NetworkFixture& network, Random& random)
    : network_(network),
      random_(random),
      walk_(network, random, Somebody(random)),
      referral_name_(ShortName(referral_id())) {
  Plan(random);
}

std::string Course::name() const { return absl::StrCat(referral_name_, " with ", provider_); }

void Course::Plan(Random& random) {
  const auto origin = [this](v1::Kind kind, const char* when) {
    steps_.push_back({kOrigin, kind, when, ""});
  };
  const auto provider = [this](v1::Kind kind, const char* when) {
    steps_.push_back({provider_, kind, when, ""});
  };
  const uint64_t end = random.Uniform(8);
  provider_ = kProviders[end < 2 ? 1 : 0];
  origin(v1::KIND_INQUIRY, "");
  if (end == 0) {
    provider(v1::KIND_DECLINE, "INQUIRED");
    return;
  }
  const bool waits = random.Uniform(4) == 0;
  if (waits) provider(v1::KIND_WAITLIST, "INQUIRED");
  provider(v1::KIND_OFFER, waits ? "WAITLISTED" : "INQUIRED");
  if (end == 1) {
    origin(v1::KIND_CANCEL, "OFFERED");
    return;
  }
  origin(v1::KIND_ACCEPT, "OFFERED");
  origin(v1::KIND_DISCLOSE, "ACCEPTED");
  if (end == 2) {
    provider(v1::KIND_CANCEL, "ACCEPTED");
    return;
  }
  provider(v1::KIND_SCHEDULE, "ACCEPTED");
  provider(v1::KIND_START, "SCHEDULED");
  origin(v1::KIND_DISCLOSE, "STARTED");
  provider(v1::KIND_PROGRESS, "STARTED");
  provider(v1::KIND_CLOSE, "ONGOING");
  if (end != 3) return;
  // The person withdraws at some moment after the first answer, whatever is on its way.
  steps_.resize(2 + random.Uniform(steps_.size() - 2));
  origin(v1::KIND_REVOKE, "");
}

absl::StatusOr<bool> Course::Advance(History& history) {
  if (done()) return false;
  Step& step = steps_[next_];
  const bool first_try = step.message_id.empty();
  if (!prepared_) {
    const absl::Status ready = Prepare();
    if (Unanswered(ready)) return ready;
    if (!ready.ok()) refused_ = ready;
    prepared_ = ready.ok();
    if (!prepared_) next_ = steps_.size();
    return true;
  }
  if (first_try && !step.when.empty()) {
    const auto view = View(step.party);
    if (Unanswered(view.status())) return view.status();
    if (!view.ok() || view->summary().state() != step.when) return false;
  }
  if (first_try) step.message_id = random_.Bytes(16);
  const bool withdrawal = step.kind == v1::KIND_REVOKE;
  Event submitted = EventOf(What::kSubmitted, step.party, step.message_id, step.kind);
  if (step.kind == v1::KIND_CLOSE) submitted.detail = "COMPLETED";
  if (first_try && !withdrawal) history.push_back(submitted);
  const absl::Status called = Call(step);
  if (Unanswered(called)) return called;
  if (!called.ok()) {
    refused_ = called;
    Event refused = EventOf(What::kRefused, step.party, step.message_id, step.kind);
    refused.detail = std::string(ReasonName(ReasonOf(called)));
    history.push_back(refused);
    next_ = steps_.size();
    return true;
  }
  withdrawn_ = withdrawn_ || withdrawal;
  if (!withdrawal) {
    history.push_back(EventOf(What::kConfirmed, step.party, step.message_id, step.kind));
  }
  digest_.clear();
  ++next_;
  return true;
}

Event Course::EventOf(What what, const std::string& party, const std::string& message_id,
                      v1::Kind kind) const {
  return {what, party, referral_name_, ShortName(message_id), kind, ""};
}

absl::Status Course::Prepare() {
  RETURN_IF_ERROR(walk_.OpenCase());
  RETURN_IF_ERROR(walk_.Record(walk_.InquiryConsent()));
  return walk_.Record(walk_.RoomConsent());
}

absl::Status Course::Call(const Step& step) {
  const std::string& id = step.message_id;
  node::NodeClient& staff = network_.node(step.party).caseworker();
  switch (step.kind) {
    case v1::KIND_INQUIRY:
      return Inquire(id);
    case v1::KIND_OFFER:
      return Offer(id);
    case v1::KIND_WAITLIST:
      return Waitlist(id);
    case v1::KIND_ACCEPT:
      return Accept(id);
    case v1::KIND_DISCLOSE:
      return Disclose(id);
    case v1::KIND_SCHEDULE:
      return Schedule(id);
    case v1::KIND_START:
      return staff.Call(&NodeStub::Start, Ask<v1::StartRequest>(id)).status();
    case v1::KIND_PROGRESS:
      return ReportProgress(id);
    case v1::KIND_CANCEL:
      return staff.Call(&NodeStub::Cancel, Ask<v1::CancelRequest>(id)).status();
    case v1::KIND_DECLINE: {
      auto request = Ask<v1::DeclineRequest>(id);
      request.set_code("D07");
      return staff.Call(&NodeStub::Decline, request).status();
    }
    case v1::KIND_CLOSE: {
      auto request = Ask<v1::CloseRequest>(id);
      request.set_outcome(v1::CLOSE_OUTCOME_COMPLETED);
      return staff.Call(&NodeStub::Close, request).status();
    }
    case v1::KIND_REVOKE:
      return Withdraw();
    default:
      return Error(v1::REASON_INTERNAL, "a kind that no course has");
  }
}

absl::Status Course::Preview(const v1::PreviewRequest& content) {
  if (!digest_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto preview, walk_.lead().Call(&NodeStub::Preview, content));
  digest_ = preview.digest();
  return absl::OkStatus();
}

absl::Status Course::Inquire(const std::string& message_id) {
  const bool room = provider_ == "lin";
  auto request = Ask<v1::InquireRequest>(message_id);
  *request.mutable_content() = walk_.InquiryContent(
      room ? "room" : "bed", room ? "lin-206" : "bea-201", walk_.InquiryConsent());
  RETURN_IF_ERROR(Preview(request.content()));
  request.set_preview_digest(digest_);
  return walk_.lead().Call(&NodeStub::Inquire, request).status();
}

absl::Status Course::Accept(const std::string& message_id) {
  auto request = Ask<v1::AcceptRequest>(message_id);
  request.set_consent_id(walk_.RoomConsent().consent_id());
  return walk_.lead().Call(&NodeStub::Accept, request).status();
}

absl::Status Course::Disclose(const std::string& message_id) {
  v1::DiscloseRequest request;
  request.set_message_id(message_id);
  v1::PreviewRequest& content = *request.mutable_content();
  content.set_kind(v1::KIND_DISCLOSE);
  content.set_referral_id(referral_id());
  content.set_consent_id(walk_.RoomConsent().consent_id());
  RETURN_IF_ERROR(Preview(content));
  request.set_preview_digest(digest_);
  return walk_.lead().Call(&NodeStub::Disclose, request).status();
}

absl::Time Course::InMinutes(int minutes) {
  const int64_t now = absl::ToUnixSeconds(network_.clock().Now());
  return absl::FromUnixSeconds(now / 60 * 60) + absl::Minutes(minutes);
}

absl::Status Course::Offer(const std::string& message_id) {
  auto request = Ask<v1::OfferRequest>(message_id);
  v1::Offer& offer = *request.mutable_prog()->mutable_offer();
  SetTime(*offer.mutable_start(), InMinutes(90));
  SetTime(*offer.mutable_hold_until(), InMinutes(30));
  offer.set_quantity(1);
  return network_.node(provider_).caseworker().Call(&NodeStub::Offer, request).status();
}

absl::Status Course::Waitlist(const std::string& message_id) {
  auto request = Ask<v1::WaitlistRequest>(message_id);
  v1::Waitlist& place = *request.mutable_prog()->mutable_waitlist();
  place.set_position(v1::POSITION_BAND_NEXT);
  place.set_wait(v1::WAIT_BAND_UP_TO_7_DAYS);
  *place.mutable_review_date() = DateOf(network_.clock().Now() + absl::Hours(24));
  return network_.node(provider_).caseworker().Call(&NodeStub::Waitlist, request).status();
}

absl::Status Course::Schedule(const std::string& message_id) {
  auto request = Ask<v1::ScheduleRequest>(message_id);
  *request.mutable_logi() = walk_.person().meeting;
  v1::TimeWindow& window = *request.mutable_logi()->mutable_arrival_window();
  window.set_from_minute(absl::ToUnixSeconds(InMinutes(60)) / 60);
  window.set_to_minute(absl::ToUnixSeconds(InMinutes(80)) / 60);
  return network_.node(provider_).caseworker().Call(&NodeStub::Schedule, request).status();
}

absl::Status Course::ReportProgress(const std::string& message_id) {
  auto request = Ask<v1::ReportProgressRequest>(message_id);
  request.mutable_prog()->set_status(v1::PROGRESS_STATUS_ONGOING);
  return network_.node(provider_).caseworker().Call(&NodeStub::ReportProgress, request).status();
}

absl::Status Course::Withdraw() {
  v1::WithdrawRequest request;
  request.set_referral_id(referral_id());
  return walk_.lead().Call(&NodeStub::Withdraw, request).status();
}

absl::StatusOr<v1::GetReferralResponse> Course::View(const std::string& party) {
  return walk_.View(party, kReferral);
}

bool Course::Settled() {
  std::string state;
  for (const std::string& party : {std::string(kOrigin), provider_}) {
    const auto view = View(party);
    if (!view.ok()) return false;
    const bool withdrawn = view->summary().state() == "WITHDRAWN";
    const bool still =
        std::any_of(view->events().begin(), view->events().end(),
                    [&](const auto& event) { return event.sent() && OnItsWay(event, withdrawn); });
    if (still || (!state.empty() && state != view->summary().state())) return false;
    state = view->summary().state();
  }
  return true;
}

absl::Status Course::Collect(History& history) {
  for (const std::string& party : {std::string(kOrigin), provider_}) {
    const auto view = View(party);
    // Nothing of it has come, or its own node could not be asked to begin with.
    if (absl::IsNotFound(view.status())) continue;
    if (!view.ok()) return view.status();
    CollectEvents(party, *view, history);
    Event seen = EventOf(What::kSeen, party, "", v1::KIND_UNSPECIFIED);
    seen.detail = view->summary().state();
    history.push_back(seen);
  }
  if (!withdrawn_) return absl::OkStatus();
  // Its node answered that the person's withdrawal will be told, and tells nobody.
  history.push_back(EventOf(What::kSubmitted, kOrigin, steps_.back().message_id, v1::KIND_REVOKE));
  history.push_back(EventOf(What::kConfirmed, kOrigin, steps_.back().message_id, v1::KIND_REVOKE));
  return absl::OkStatus();
}

void Course::CollectEvents(const std::string& party, const v1::GetReferralResponse& view,
                           History& history) {
  for (const v1::ReferralEvent& event : view.events()) {
    // The node's own answer to a withdrawal, which nobody submits.
    if (event.kind() == v1::KIND_REVOKE_ACK) continue;
    const auto note = [&](What what) {
      history.push_back(EventOf(what, party, event.message_id(), event.kind()));
    };
    if (!event.sent()) {
      note(What::kDelivered);
      continue;
    }
    if (event.kind() == v1::KIND_REVOKE) {
      note(What::kSubmitted);
      if (withdrawn_) note(What::kConfirmed);
      withdrawn_ = false;
    }
    if (event.delivery() == v1::DELIVERY_STATE_RECEIVED) note(What::kAcknowledged);
    if (event.delivery() == v1::DELIVERY_STATE_REFUSED ||
        event.delivery() == v1::DELIVERY_STATE_DROPPED) {
      note(What::kReturned);
      history.back().detail = std::string(ReasonName(event.reason()));
    }
  }
}

}  // namespace waymark::torture
