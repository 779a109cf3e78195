// A store whose documents (directory and registry) live in memory, for tests of the desk rooms.
// Traffic is not its business: those methods fail. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "server/store/store.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {

class MemoryStore final : public Store {
 public:
  // Makes the next AppendStatements fail with UNAVAILABLE.
  void FailNextAppend() { fail_append_ = true; }

  std::string epoch() const override { return std::string(16, 'e'); }

  absl::StatusOr<LoadedState> Load(const StateKeys&) override { return NoTraffic(); }
  absl::Status Commit(std::span<Effects>) override { return NoTraffic(); }
  absl::StatusOr<MailboxPage> ReadMailbox(const OrganisationId&, MailboxView, uint64_t, size_t,
                                          size_t, absl::Time) override {
    return NoTraffic();
  }
  absl::Status Ack(const OrganisationId&, MailboxView, uint64_t) override { return NoTraffic(); }
  absl::StatusOr<WaitingTotals> CountWaiting() override { return NoTraffic(); }
  absl::StatusOr<std::vector<MailboxItem>> TakeOfflineNotices(absl::Time, size_t) override {
    return NoTraffic();
  }
  absl::StatusOr<SweepResult> Sweep(absl::Time, size_t) override { return NoTraffic(); }

  absl::StatusOr<std::optional<StatementRow>> FindStatement(const std::string& subject) override {
    for (const auto* rows : {&log_, &capacities_}) {
      for (const StatementRow& row : *rows) {
        if (row.subject == subject && !row.statement.empty()) return row;
      }
    }
    return std::optional<StatementRow>();
  }

  absl::Status AppendStatements(std::span<StatementRow> rows, uint64_t previous_revision) override {
    if (std::exchange(fail_append_, false)) return Error(v1::REASON_UNAVAILABLE, "the store");
    if (previous_revision != log_.size()) return Error(v1::REASON_STATEMENT_INVALID, "revision");
    for (StatementRow& row : rows) {
      if (row.capacity) {
        std::erase_if(capacities_, [&](const auto& old) { return old.subject == row.subject; });
        row.revision = ++capacity_revision_;
        capacities_.push_back(row);
      } else {
        for (StatementRow& old : log_) {
          if (old.subject == row.subject) old.statement.clear();
        }
        row.revision = log_.size() + 1;
        log_.push_back(row);
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<StatementRow>> ReadStatements(bool capacity, uint64_t after,
                                                           size_t max_bytes) override {
    std::vector<StatementRow> page;
    size_t bytes = 0;
    for (const StatementRow& row : capacity ? capacities_ : log_) {
      if (row.revision <= after || bytes > max_bytes) continue;
      bytes += row.statement.size();
      page.push_back(row);
    }
    return page;
  }

  absl::Status PutInvitation(const InvitationRow& row) override {
    invitations_[row.hash] = row;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<InvitationRow>> FindInvitation(const std::string& hash) override {
    return Find(invitations_, hash);
  }
  absl::Status PutEnrolment(const EnrolmentRow& row) override {
    enrolments_[row.request_id] = row;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<EnrolmentRow>> FindEnrolment(const std::string& id) override {
    return Find(enrolments_, id);
  }
  absl::StatusOr<std::vector<EnrolmentRow>> ListEnrolments(bool include_decided) override {
    std::vector<EnrolmentRow> rows;
    for (const auto& [id, row] : enrolments_) {
      if (include_decided || row.state == v1::ENROLMENT_STATE_PENDING) rows.push_back(row);
    }
    return rows;
  }

 private:
  static absl::Status NoTraffic() {
    return Error(v1::REASON_INTERNAL, "this store has no traffic");
  }

  template <typename Row>
  static std::optional<Row> Find(const std::map<std::string, Row>& rows, const std::string& key) {
    const auto found = rows.find(key);
    return found == rows.end() ? std::nullopt : std::optional<Row>(found->second);
  }

  bool fail_append_ = false;
  uint64_t capacity_revision_ = 0;
  std::vector<StatementRow> log_;
  std::vector<StatementRow> capacities_;
  std::map<std::string, InvitationRow> invitations_;
  std::map<std::string, EnrolmentRow> enrolments_;
};

}  // namespace waymark::hub
