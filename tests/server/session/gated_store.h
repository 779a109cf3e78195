// A store in front of another, whose traffic a test can hold up, count and make fail.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "base/sync/sync.h"
#include "server/store/store.h"

namespace waymark::hub {

// Thread-safe.
class GatedStore final : public Store {
 public:
  explicit GatedStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}

  Store& inner() { return *inner_; }

  // Commits (reads) wait at the gate while it is closed.
  void CloseCommits() { Set(commits_open_, false); }
  void OpenCommits() { Set(commits_open_, true); }
  void CloseReads() { Set(reads_open_, false); }
  void OpenReads() { Set(reads_open_, true); }
  // Waits until somebody waits at the gate.
  void AwaitWaiting() {
    MutexLock lock(mu_);
    while (waiting_ == 0) changed_.Wait(mu_);
  }

  // Makes calls fail with `reason` until it is nullopt again.
  void FailLoads(std::optional<v1::Reason> reason) { Set(load_error_, reason); }
  void FailCommits(std::optional<v1::Reason> reason) { Set(commit_error_, reason); }
  // Makes the next `count` commits fail with CONFLICT.
  void ConflictCommits(int count) { Set(conflicts_, count); }
  // Loads that may assume find nothing: as if others had stored everything behind this one's back.
  void AssumeNothingIsThere() { Set(assumes_, true); }
  void FailReads(std::optional<v1::Reason> reason) { Set(read_error_, reason); }

  int commits() { return Get(commits_); }
  int reads() { return Get(reads_); }

  std::string epoch() const override { return inner_->epoch(); }

  absl::StatusOr<LoadedState> Load(const StateKeys& keys) override {
    if (const auto reason = Get(load_error_)) return Error(*reason, "load");
    if (keys.may_assume && Get(assumes_)) return LoadedState{.assumed = true};
    return inner_->Load(keys);
  }

  absl::Status Commit(std::span<Effects> batch) override {
    Pass(commits_open_, commits_);
    if (const auto reason = Get(commit_error_)) return Error(*reason, "commit");
    {
      MutexLock lock(mu_);
      if (conflicts_ > 0 && conflicts_-- > 0) return Error(v1::REASON_CONFLICT, "commit");
    }
    return inner_->Commit(batch);
  }

  // The inner store is read before the gate: what is held up is an answer that may be out of date.
  absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId& mailbox, MailboxView view,
                                          uint64_t after, size_t max_items, size_t max_bytes,
                                          absl::Time now) override {
    auto page = inner_->ReadMailbox(mailbox, view, after, max_items, max_bytes, now);
    Pass(reads_open_, reads_);
    if (const auto reason = Get(read_error_)) return Error(*reason, "read");
    return page;
  }

  absl::Status Ack(const OrganisationId& mailbox, MailboxView view, uint64_t through) override {
    absl::Status status = inner_->Ack(mailbox, view, through);
    MutexLock lock(mu_);
    ++acks_;
    changed_.SignalAll();
    return status;
  }
  // Waits until `count` acks have come in all.
  void AwaitAcks(int count) {
    MutexLock lock(mu_);
    while (acks_ < count) changed_.Wait(mu_);
  }

  absl::StatusOr<WaitingTotals> CountWaiting() override { return inner_->CountWaiting(); }
  absl::StatusOr<std::vector<MailboxItem>> TakeOfflineNotices(absl::Time before,
                                                              size_t limit) override {
    return inner_->TakeOfflineNotices(before, limit);
  }
  absl::StatusOr<SweepResult> Sweep(absl::Time now, size_t limit) override {
    return inner_->Sweep(now, limit);
  }
  absl::StatusOr<std::optional<StatementRow>> FindStatement(const std::string& subject) override {
    return inner_->FindStatement(subject);
  }
  absl::Status AppendStatements(std::span<StatementRow> rows, uint64_t previous) override {
    return inner_->AppendStatements(rows, previous);
  }
  absl::StatusOr<std::vector<StatementRow>> ReadStatements(bool capacity, uint64_t after,
                                                           size_t max_bytes) override {
    return inner_->ReadStatements(capacity, after, max_bytes);
  }
  absl::Status PutInvitation(const InvitationRow& row) override {
    return inner_->PutInvitation(row);
  }
  absl::StatusOr<std::optional<InvitationRow>> FindInvitation(const std::string& hash) override {
    return inner_->FindInvitation(hash);
  }
  absl::Status PutEnrolment(const EnrolmentRow& row) override { return inner_->PutEnrolment(row); }
  absl::StatusOr<std::optional<EnrolmentRow>> FindEnrolment(const std::string& id) override {
    return inner_->FindEnrolment(id);
  }
  absl::StatusOr<std::vector<EnrolmentRow>> ListEnrolments(bool include_decided) override {
    return inner_->ListEnrolments(include_decided);
  }

 private:
  template <typename Value>
  void Set(Value& member, Value value) {
    MutexLock lock(mu_);
    member = value;
    changed_.SignalAll();
  }

  template <typename Value>
  Value Get(const Value& member) {
    MutexLock lock(mu_);
    return member;
  }

  void Pass(const bool& open, int& count) {
    MutexLock lock(mu_);
    ++count;
    ++waiting_;
    changed_.SignalAll();
    while (!open) changed_.Wait(mu_);
    --waiting_;
  }

  const std::unique_ptr<Store> inner_;
  Mutex mu_;
  CondVar changed_;
  // All guarded by mu_, which the helpers that take them by reference hold.
  bool commits_open_ = true;
  bool reads_open_ = true;
  int waiting_ = 0;
  int commits_ = 0;
  int reads_ = 0;
  int acks_ = 0;
  int conflicts_ = 0;
  bool assumes_ = false;
  std::optional<v1::Reason> load_error_;
  std::optional<v1::Reason> commit_error_;
  std::optional<v1::Reason> read_error_;
};

}  // namespace waymark::hub
