#include "tests/torture/model.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"

namespace waymark::torture {
namespace {

constexpr std::array<std::string_view, 4> kRuleNames = {"nothing is lost", "nothing comes twice",
                                                        "order is kept", "all sides agree"};

// What became of one message.
struct Message {
  Event submitted;
  // Its place among the submissions in its referral.
  size_t place = 0;
  bool was_submitted = false;
  bool confirmed = false;
  bool refused = false;
  bool acknowledged = false;
  bool returned = false;
  int deliveries = 0;
};

// The messages of one referral, and how it ended for each side.
struct Referral {
  std::vector<std::string> submitted;
  std::map<std::string, std::vector<std::string>> delivered_to;
  std::map<std::string, std::string> seen_by;
  bool withdrawn = false;
};

class Checker {
 public:
  explicit Checker(const History& history) {
    for (const Event& event : history) Take(event);
  }

  std::vector<Violation> Run() {
    for (const auto& [id, message] : messages_) CheckMessage(id, message);
    for (const auto& [id, referral] : referrals_) {
      CheckOrder(id, referral);
      CheckState(id, referral);
    }
    return std::move(violations_);
  }

 private:
  void Take(const Event& event) {
    Referral& referral = referrals_[event.referral];
    if (event.what == What::kSeen) {
      referral.seen_by[event.party] = event.detail;
      return;
    }
    Message& message = messages_[event.message];
    switch (event.what) {
      case What::kSubmitted:
        if (message.was_submitted) return;
        message.submitted = event;
        message.place = referral.submitted.size();
        message.was_submitted = true;
        referral.withdrawn = referral.withdrawn || event.kind == v1::KIND_REVOKE;
        referral.submitted.push_back(event.message);
        return;
      case What::kConfirmed:
        message.confirmed = true;
        return;
      case What::kRefused:
        message.refused = true;
        return;
      case What::kDelivered:
        ++message.deliveries;
        referral.delivered_to[event.party].push_back(event.message);
        return;
      case What::kAcknowledged:
        message.acknowledged = true;
        return;
      case What::kReturned:
        message.returned = true;
        return;
      case What::kSeen:
        return;
    }
  }

  void CheckMessage(const std::string& id, const Message& message) {
    const std::string what = Format(message.submitted);
    if (!message.was_submitted) {
      Report(Rule::kAgreement, absl::StrCat("nobody submitted ", id));
      return;
    }
    const bool may_be_dropped = message.submitted.kind != v1::KIND_REVOKE &&
                                referrals_[message.submitted.referral].withdrawn;
    if (message.confirmed && message.deliveries == 0 && !message.returned && !may_be_dropped) {
      Report(Rule::kNothingLost, absl::StrCat("confirmed, and nowhere: ", what));
    }
    if (message.deliveries > 1) {
      Report(Rule::kNothingTwice, absl::StrCat(message.deliveries, " times in the vault: ", what));
    }
    if (message.deliveries == 0) {
      if (message.acknowledged) {
        Report(Rule::kAgreement, absl::StrCat("acknowledged and never delivered: ", what));
      }
      return;
    }
    if (message.returned) Report(Rule::kAgreement, absl::StrCat("sent back and kept: ", what));
    if (message.refused) Report(Rule::kAgreement, absl::StrCat("refused and delivered: ", what));
    if (!message.returned && !message.acknowledged) {
      Report(Rule::kAgreement, absl::StrCat("delivered, and its sender does not know: ", what));
    }
  }

  void CheckOrder(const std::string& id, const Referral& referral) {
    for (const auto& [party, delivered] : referral.delivered_to) {
      std::vector<size_t> places;
      for (const std::string& message : delivered) {
        if (messages_[message].was_submitted) places.push_back(messages_[message].place);
      }
      if (std::is_sorted(places.begin(), places.end())) continue;
      Report(Rule::kOrder, absl::StrCat("in the vault of ", party, ": referral ", id));
    }
  }

  void CheckState(const std::string& id, const Referral& referral) {
    std::optional<std::string> state = "DRAFT";
    for (const std::string& message : referral.submitted) {
      if (messages_[message].deliveries == 0) continue;
      const Event& event = messages_[message].submitted;
      state = Next(*state, event);
      if (!state) {
        Report(Rule::kAgreement, absl::StrCat("not possible where it came: ", Format(event)));
        return;
      }
    }
    for (const auto& [party, seen] : referral.seen_by) {
      if (seen == *state) continue;
      Report(Rule::kAgreement,
             absl::StrCat(party, " sees ", seen, " where ", *state, " was reached: referral ", id));
    }
  }

  // The state after a message, by the rules of the domain; nullopt when it may not come then.
  static std::optional<std::string> Next(const std::string& state, const Event& event) {
    if (event.kind == v1::KIND_REVOKE) return "WITHDRAWN";
    // What a withdrawal crossed with.
    if (state == "WITHDRAWN") return state;
    if (event.kind == v1::KIND_CANCEL && state == "OFFERED") return "NOT_TAKEN_UP";
    struct Step {
      std::set<std::string> from;
      // Empty: the state stays.
      std::string to;
    };
    static const auto& steps = *new std::map<v1::Kind, Step>{
        {v1::KIND_INQUIRY, {{"DRAFT"}, "INQUIRED"}},
        {v1::KIND_OFFER, {{"INQUIRED", "WAITLISTED"}, "OFFERED"}},
        {v1::KIND_WAITLIST, {{"INQUIRED", "WAITLISTED"}, "WAITLISTED"}},
        {v1::KIND_DECLINE, {{"INQUIRED", "WAITLISTED"}, "DECLINED"}},
        {v1::KIND_ACCEPT, {{"OFFERED"}, "ACCEPTED"}},
        {v1::KIND_DISCLOSE, {{"ACCEPTED", "SCHEDULED", "STARTED", "ONGOING"}, ""}},
        {v1::KIND_SCHEDULE, {{"ACCEPTED", "SCHEDULED"}, "SCHEDULED"}},
        {v1::KIND_START, {{"ACCEPTED", "SCHEDULED"}, "STARTED"}},
        {v1::KIND_PROGRESS, {{"STARTED", "ONGOING"}, "ONGOING"}},
        {v1::KIND_CANCEL, {{"INQUIRED", "ACCEPTED", "SCHEDULED"}, "CANCELLED"}},
        {v1::KIND_CLOSE, {{"STARTED", "ONGOING"}, "COMPLETED"}},
    };
    const auto step = steps.find(event.kind);
    if (step == steps.end() || step->second.from.count(state) == 0) return std::nullopt;
    if (event.kind == v1::KIND_CLOSE && !event.detail.empty()) return event.detail;
    return step->second.to.empty() ? state : step->second.to;
  }

  void Report(Rule rule, std::string text) { violations_.push_back({rule, std::move(text)}); }

  std::map<std::string, Message> messages_;
  std::map<std::string, Referral> referrals_;
  std::vector<Violation> violations_;
};

}  // namespace

std::vector<Violation> Check(const History& history) { return Checker(history).Run(); }

std::string_view Name(Rule rule) { return kRuleNames.at(static_cast<size_t>(rule)); }

}  // namespace waymark::torture
