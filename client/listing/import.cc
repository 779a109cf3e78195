#include "client/listing/import.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/directory/neutral.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

using local::v1::ImportEntry;
using local::v1::ImportOutcome;

class Run {
 public:
  Run(Planner planner, const ImportRequest& request)
      : planner_(std::move(planner)), request_(request) {}

  local::v1::ImportReport& report() { return report_; }

  // Passes over what an earlier run settled; returns how many records that are. The last one may
  // have been settled in part and is looked at again.
  uint64_t GoOnAfter(const LastRun& last) {
    if (last.settled.empty()) return 0;
    const uint64_t until = last.settled.back().ordinal();
    for (const local::v1::ImportedRecord& settled : last.settled) {
      if (settled.ordinal() == until) continue;
      planner_.NoteSettled(settled);
      ++counts_[settled.outcome()];
    }
    report_.set_resumed(until - 1);
    return until - 1;
  }

  absl::Status Take(ListingDraft draft) { return Settle(planner_.Judge(std::move(draft))); }

  absl::Status WithdrawTheRest() {
    if (!planner_.identified()) {
      report_.set_not_withdrawn(planner_.Withdrawals().size());
      return absl::OkStatus();
    }
    for (ImportEntry& entry : planner_.Withdrawals()) {
      RETURN_IF_ERROR(Settle(std::move(entry)));
    }
    return absl::OkStatus();
  }

  void Count() {
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      local::v1::ImportCount& count = *report_.add_counts();
      count.set_outcome(static_cast<ImportOutcome>(i));
      count.set_count(counts_[i]);
    }
  }

 private:
  absl::Status Publish(const ImportEntry& entry) {
    const bool says_something = entry.outcome() == local::v1::IMPORT_OUTCOME_ADDED ||
                                entry.outcome() == local::v1::IMPORT_OUTCOME_WITHDRAWN ||
                                entry.changes_size() > 0;
    if (says_something) RETURN_IF_ERROR(request_.publisher->PublishService(entry.service()));
    if (!entry.has_capacity()) return absl::OkStatus();
    return request_.publisher->PublishCapacity(entry.capacity());
  }

  absl::Status Settle(ImportEntry entry) {
    if (request_.publisher != nullptr) {
      if (entry.has_service()) {
        if (const absl::Status published = Publish(entry); !published.ok()) {
          return Annotate(published, absl::StrCat("record ", entry.ordinal(), " of the source"));
        }
      }
      // Withdrawals come after every record and are found again by themselves.
      if (entry.ordinal() > 0) RETURN_IF_ERROR(Note(entry));
    }
    ++counts_[entry.outcome()];
    if (entry.outcome() != local::v1::IMPORT_OUTCOME_UNCHANGED) {
      *report_.add_entries() = std::move(entry);
    }
    return absl::OkStatus();
  }

  absl::Status Note(const ImportEntry& entry) {
    local::v1::ImportedRecord record;
    record.set_ordinal(entry.ordinal());
    record.set_record_id(entry.record_id());
    // Also of records of which nothing is published: what was published of them before stays.
    record.set_service_id(entry.service_id());
    if (entry.has_service()) {
      *record.mutable_verified() = entry.service().last_verified();
      record.set_verified_by_source(true);
      for (const auto& finding : entry.findings()) {
        if (finding.field() == "last_verified") record.set_verified_by_source(false);
      }
    }
    record.set_outcome(entry.outcome());
    return request_.journal->Settle(record);
  }

  Planner planner_;
  const ImportRequest& request_;
  local::v1::ImportReport report_;
  std::array<uint64_t, local::v1::ImportOutcome_ARRAYSIZE> counts_{};
};

absl::Status CheckResume(const LastRun& last, const local::v1::ImportSource& source) {
  if (last.source.name().empty() || last.finished) {
    return Error(v1::REASON_STATE_FORBIDS, "the last import of the journal went to its end");
  }
  if (last.source.name() != source.name() || last.source.digest() != source.digest()) {
    return Error(v1::REASON_STATE_FORBIDS,
                 "the source is not the one that was imported in part; import it from the start");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<local::v1::ImportReport> RunImport(const Catalogue& catalogue,
                                                  ImportRequest request) {
  ASSIGN_OR_RETURN(Planner planner, Planner::Create(catalogue, request.context));
  Run run(std::move(planner), request);
  local::v1::ImportSource& about = *run.report().mutable_source();
  about.set_name(request.context.source);
  about.set_licence(request.licence);
  about.set_started_minute(absl::ToUnixSeconds(request.context.now) / 60);
  {
    ASSIGN_OR_RETURN(const std::string digest, Source(request.source).Digest());
    about.set_digest(digest);
  }
  if (request.resume) {
    RETURN_IF_ERROR(CheckResume(request.journal->last(), about));
    request.source.skip = run.GoOnAfter(request.journal->last());
  } else if (request.publisher != nullptr) {
    RETURN_IF_ERROR(request.journal->Begin(about));
  }

  Source source(request.source, request.progress);
  RETURN_IF_ERROR(source.Read([&run](ListingDraft draft) { return run.Take(std::move(draft)); }));
  RETURN_IF_ERROR(run.WithdrawTheRest());
  if (request.publisher != nullptr) RETURN_IF_ERROR(request.journal->Finish());

  local::v1::ImportReport& report = run.report();
  report.set_applied(request.publisher != nullptr);
  report.set_records(source.records());
  run.Count();
  for (const std::string& path : source.left_behind()) {
    if (IsNeutral(path)) report.add_left_behind(path);
  }
  return std::move(report);
}

}  // namespace waymark::node
