// A node's stream as a whole: frames one after another, each behind three bytes of length, told to
// a session that stands on the real committer, dispatcher and rules, and on a store that forgets
// everything, so that each input begins anew.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log/log.h"
#include "server/session/session.h"
#include "tests/fuzz/invariant.h"
#include "tests/support/session_harness.h"

namespace waymark::hub {
namespace {

class ForgetfulStore final : public Store {
 public:
  std::string epoch() const override { return std::string(16, 'e'); }
  absl::StatusOr<LoadedState> Load(const StateKeys&) override { return LoadedState(); }
  absl::Status Commit(std::span<Effects> batch) override {
    for (Effects& effects : batch) {
      for (MailboxItem& item : effects.deliver) item.sequence = ++sequence_;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId&, MailboxView, uint64_t, size_t,
                                          size_t, absl::Time) override {
    return MailboxPage();
  }
  absl::Status Ack(const OrganisationId&, MailboxView, uint64_t) override {
    return absl::OkStatus();
  }
  absl::StatusOr<WaitingTotals> CountWaiting() override { return WaitingTotals(); }
  absl::StatusOr<std::vector<MailboxItem>> TakeOfflineNotices(absl::Time, size_t) override {
    return std::vector<MailboxItem>();
  }
  absl::StatusOr<SweepResult> Sweep(absl::Time, size_t) override { return SweepResult(); }
  absl::StatusOr<std::optional<StatementRow>> FindStatement(const std::string&) override {
    return std::nullopt;
  }
  absl::Status AppendStatements(std::span<StatementRow>, uint64_t) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<StatementRow>> ReadStatements(bool, uint64_t, size_t) override {
    return std::vector<StatementRow>();
  }
  absl::Status PutInvitation(const InvitationRow&) override { return absl::OkStatus(); }
  absl::StatusOr<std::optional<InvitationRow>> FindInvitation(const std::string&) override {
    return std::nullopt;
  }
  absl::Status PutEnrolment(const EnrolmentRow&) override { return absl::OkStatus(); }
  absl::StatusOr<std::optional<EnrolmentRow>> FindEnrolment(const std::string&) override {
    return std::nullopt;
  }
  absl::StatusOr<std::vector<EnrolmentRow>> ListEnrolments(bool) override {
    return std::vector<EnrolmentRow>();
  }

 private:
  // Only the committer's thread commits.
  uint64_t sequence_ = 0;
};

// The hub behind the session, for the life of the process.
struct Hub {
  ForgetfulStore store;
  SessionHarness harness{&store};

  // Streams break by design here.
  Hub() { HOLDS(StartLog({.level = LogLevel::kError}).ok()); }

  static Hub& Get() {
    static Hub hub;
    return hub;
  }
};

// What the node gets, held to the rules of the stream as it comes.
class CheckedOutput final : public SessionOutput {
 public:
  void Send(v1::ConnectResponse frame) override {
    HOLDS(!ended_);
    HOLDS(frame.has_welcome() == !welcomed_);
    welcomed_ = true;
    for (const v1::Outcome& outcome : frame.outcomes().outcomes()) {
      HOLDS(v1::Reason_IsValid(outcome.reason()));
      HOLDS(outcome.reason() != v1::REASON_INTERNAL && outcome.reason() != v1::REASON_UNAVAILABLE);
      answered_.push_back(outcome.item_id());
    }
  }
  void Deliver(std::vector<OutgoingDelivery> deliveries) override {
    HOLDS(!ended_ && welcomed_);
    HOLDS(!deliveries.empty());
  }
  void End(absl::Status status) override {
    HOLDS(!ended_);
    ended_ = true;
    status_ = std::move(status);
  }

  bool ended() const { return ended_; }
  const absl::Status& status() const { return status_; }
  const std::vector<std::string>& answered() const { return answered_; }

 private:
  bool welcomed_ = false;
  bool ended_ = false;
  absl::Status status_;
  std::vector<std::string> answered_;
};

std::string_view TakeFrame(std::string_view& input) {
  size_t size = 0;
  for (int i = 0; i < 3; ++i) size = size << 8 | fuzz::TakeByte(input);
  const std::string_view frame = input.substr(0, size);
  input.remove_prefix(frame.size());
  return frame;
}

// One stream from its first frame to its end.
class Stream {
 public:
  void OnFrame(std::string_view bytes) {
    while (!output_.ended() && !session_->wants_frame()) strand_->RunNext();
    v1::ConnectRequest frame;
    if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return session_->OnMalformed();
    }
    for (const v1::Submission& item : frame.submit().items()) submitted_.push_back(ItemId(item));
    left_ |= frame.has_goodbye();
    session_->OnFrame(std::move(frame), now_);
  }

  void Finish() {
    session_->OnHalfClose();
    while (!output_.ended()) strand_->RunNext();
    session_->OnGone();
    strand_->Close();
    CheckAnswers();
  }

 private:
  // Answers come in the order of submission, for a prefix of it where the stream broke.
  void CheckAnswers() const {
    const std::vector<std::string>& answered = output_.answered();
    HOLDS(answered.size() <= submitted_.size());
    HOLDS(std::equal(answered.begin(), answered.end(), submitted_.begin()));
    if (output_.status().ok()) {
      HOLDS(left_ || answered.size() == submitted_.size());
    } else {
      HOLDS(fuzz::FailedWith(
          output_.status(),
          {v1::REASON_MALFORMED, v1::REASON_FIELD_INVALID, v1::REASON_HELLO_EXPECTED,
           v1::REASON_FRAME_TOO_LARGE, v1::REASON_VERSION_UNSUPPORTED}));
    }
  }

  // An hour after the stream before, so that no stream finds the member's quotas used up.
  static absl::Time NextHour() {
    static int64_t streams = 0;
    return absl::UnixEpoch() + absl::Hours(++streams);
  }

  const absl::Time now_ = NextHour();
  CheckedOutput output_;
  // Shared with the session's tasks, as a session demands.
  std::shared_ptr<ManualStrand> strand_ = std::make_shared<ManualStrand>();
  std::shared_ptr<Session> session_ =
      Hub::Get().harness.Connect("qso", Session::Options(), &output_, strand_);
  std::vector<std::string> submitted_;
  bool left_ = false;
};

}  // namespace
}  // namespace waymark::hub

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = waymark::fuzz::View(data, size);
  waymark::hub::Stream stream;
  while (!input.empty()) stream.OnFrame(waymark::hub::TakeFrame(input));
  stream.Finish();
  return 0;
}
