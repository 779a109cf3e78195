#include "server/store/move.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/status/status.h"
#include "server/store/postgres/intake.h"
#include "server/store/sqlite/rows.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"
#include "server/store/sqlite/store_file.h"
#include "server/store/sqlite/verify.h"

namespace waymark::hub {
namespace {

// What is in memory at once.
constexpr size_t kRowsAtOnce = 1000;
constexpr size_t kBytesAtOnce = size_t{4} << 20;

// Every table of the store, as this knows to carry it; meta is the store's own.
constexpr std::array<std::string_view, 10> kCarried = {
    "enrolment", "invitation", "item",      "meta", "referral",
    "routing",   "seen",       "statement", "told", "token"};

constexpr size_t kSmall = 256;
size_t BytesOf(const WaitingItem& waiting) { return kSmall + waiting.item.message.size(); }
size_t BytesOf(const StatementRow& row) { return kSmall + row.statement.size(); }
size_t BytesOf(const EnrolmentRow& row) {
  return kSmall + row.request.size() + row.response.size();
}
template <typename Record>
size_t BytesOf(const Record&) {
  return kSmall;
}

// Gives what `sql` selects to `intake`, some at a time.
template <typename Record, typename Read>
absl::Status Carry(Connection& from, const char* sql, Read read, PgIntake& intake) {
  ASSIGN_OR_RETURN(Statement rows, from.Prepare(sql));
  std::vector<Record> records;
  size_t bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (found) {
      ASSIGN_OR_RETURN(Record record, read(rows));
      bytes += BytesOf(record);
      records.push_back(std::move(record));
    }
    const bool full = records.size() >= kRowsAtOnce || bytes >= kBytesAtOnce;
    if (!records.empty() && (full || !found)) {
      RETURN_IF_ERROR(intake.Take(std::exchange(records, {})));
      bytes = 0;
    }
    if (!found) return absl::OkStatus();
  }
}

// Without the number of its row, which means nothing elsewhere.
template <typename Record>
auto Unnumbered(absl::StatusOr<Numbered<Record>> (*read)(Statement&)) {
  return [read](Statement& rows) -> absl::StatusOr<Record> {
    ASSIGN_OR_RETURN(Numbered<Record> numbered, read(rows));
    return std::move(numbered.record);
  };
}

// The messages whose sender has been told that they wait.
absl::StatusOr<absl::flat_hash_set<uint64_t>> ReadMarks(Connection& from) {
  absl::flat_hash_set<uint64_t> marks;
  ASSIGN_OR_RETURN(Statement rows, from.Prepare("SELECT * FROM told"));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return marks;
    ASSIGN_OR_RETURN(const int64_t sequence, ReadTold(rows));
    marks.insert(static_cast<uint64_t>(sequence));
  }
}

// A table that was added and is not carried would be lost without a word.
absl::Status CheckTables(const StoreSight& sight) {
  for (const auto& [table, rows] : sight.rows) {
    if (std::find(kCarried.begin(), kCarried.end(), table) == kCarried.end()) {
      return Error(v1::REASON_INTERNAL, "this program does not know how to move table " + table);
    }
  }
  return absl::OkStatus();
}

absl::Status CarryTraffic(Connection& from, PgIntake& intake) {
  RETURN_IF_ERROR(
      Carry<TokenRecord>(from, "SELECT * FROM token ORDER BY row", Unnumbered(ReadToken), intake));
  RETURN_IF_ERROR(Carry<ReferralRecord>(from, "SELECT * FROM referral ORDER BY row",
                                        Unnumbered(ReadReferral), intake));
  RETURN_IF_ERROR(
      Carry<SeenRecord>(from, "SELECT * FROM seen ORDER BY row", Unnumbered(ReadSeen), intake));
  ASSIGN_OR_RETURN(const auto marks, ReadMarks(from));
  const auto read_item = [&marks](Statement& rows) -> absl::StatusOr<WaitingItem> {
    ASSIGN_OR_RETURN(MailboxItem item, ReadItem(rows));
    const bool notice = IsUrgent(item.urgency) && !marks.contains(item.sequence);
    return WaitingItem{std::move(item), notice};
  };
  RETURN_IF_ERROR(
      Carry<WaitingItem>(from, "SELECT * FROM item ORDER BY sequence", read_item, intake));
  return Carry<RoutingRecord>(from, "SELECT * FROM routing ORDER BY row", ReadRouting, intake);
}

absl::Status CarryDocuments(Connection& from, PgIntake& intake) {
  RETURN_IF_ERROR(Carry<StatementRow>(from, "SELECT * FROM statement ORDER BY capacity, revision",
                                      ReadStatement, intake));
  RETURN_IF_ERROR(Carry<InvitationRow>(from, "SELECT * FROM invitation", ReadInvitation, intake));
  return Carry<EnrolmentRow>(from, "SELECT * FROM enrolment", ReadEnrolment, intake);
}

}  // namespace

absl::StatusOr<Tally> MoveStore(const std::string& store, const PgTarget& target, Random* random,
                                Clock* clock) {
  RETURN_IF_ERROR(CheckPgUrl(target.url));
  std::error_code none;
  if (!std::filesystem::exists(store, none)) {
    return Error(v1::REASON_FILE_UNUSABLE, "there is no store at " + store + " to move");
  }
  const auto lock = FileLock::Acquire(store + ".lock");
  if (!lock.ok()) return Annotate(lock.status(), "stop the hub before you move its store");
  ASSIGN_OR_RETURN(const StoreSight sight, VerifyHeldStore(store));
  if (sight.version != kSchemaVersion) {
    return Error(v1::REASON_VERSION_UNSUPPORTED,
                 store + " has an older schema; start the hub on it once, which brings it forward");
  }
  RETURN_IF_ERROR(CheckTables(sight));
  ASSIGN_OR_RETURN(const auto from, OpenReader(store));
  ASSIGN_OR_RETURN(const auto identity, FindIdentity(*from, store));
  if (!identity) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 store +
                     " is a copy that no hub has opened; start the hub on it once, so that it "
                     "lets go of what the copy may have wrong");
  }
  ASSIGN_OR_RETURN(const auto intake, PgIntake::Begin(target, random, clock));
  RETURN_IF_ERROR(intake->TakeRestore(identity->restored_at));
  RETURN_IF_ERROR(CarryTraffic(*from, *intake));
  RETURN_IF_ERROR(CarryDocuments(*from, *intake));
  return intake->Finish();
}

}  // namespace waymark::hub
