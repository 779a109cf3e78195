#include "tests/scenarios/hub_view.h"

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/envelope/header.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "tests/support/evidence.h"

namespace waymark::testing {
namespace {

// Columns whose content, but not its length, is drawn or computed anew in every run.
const std::set<std::string>& Drawn() {
  static const auto& columns = *new std::set<std::string>{
      "message_id", "referral",   "id",      "token_hash",      "hash",
      "digest",     "head",       "sum",     "revocation_lock", "epoch",
      "used_by",    "request_id", "subject", "invitation_hash", "message"};
  return columns;
}

// Columns that say when or as the how-many-th something came (a statement's version follows the
// clock), or that hold a signature, whose length varies.
const std::set<std::string>& OfTheRun() {
  static const auto& columns = *new std::set<std::string>{
      "row",          "sequence",   "revision",      "file_mark",   "reserved",  "minute",
      "stored_at",    "expires_at", "registered_at", "state_until", "forget_at", "remember_until",
      "requested_at", "request",    "response",      "statement",   "version"};
  return columns;
}

// Metrics that measure how the run went: how fast, in how large batches, in how many bytes of
// signatures, and what waited at the moment of a count.
constexpr const char* kMeasures[] = {
    "waymark_commit_seconds", "waymark_confirmation_seconds_bucket",
    "waymark_confirmation_seconds_sum", "waymark_store_", "waymark_commit_queue_",
    "waymark_unacknowledged_", "waymark_delivery_buffer_", "waymark_sessions_", "waymark_data_",
    "process_", "waymark_commit_batch_items", "waymark_committed_bytes_total",
    "waymark_delivered_bytes_total", "waymark_mailbox_", "waymark_mailboxes_waiting",
    "waymark_certificate_left_seconds",
    // How many nodes are connected at the moment.
    "waymark_streams "};

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string Length(const std::string& bytes) { return "<" + std::to_string(bytes.size()) + ">"; }

}  // namespace

HubView::HubView(NetworkFixture& network) : network_(network) {
  for (const char* unit : {"qso.night", "bwi.pool", "lin.family"}) {
    const std::string organisation(unit, 3);
    names_[network.unit(unit).bytes()] = unit;
    names_[network.organisation(organisation).bytes()] = organisation;
  }
  logged_before_ = LogText().size();
}

std::string HubView::NameOf(const std::string& id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? "somebody" : found->second;
}

absl::StatusOr<std::vector<std::string>> HubView::Submissions() const {
  ASSIGN_OR_RETURN(const auto frames, network_.hub().Recorded());
  std::vector<std::string> texts;
  std::map<std::string, std::map<std::string, std::string>> lines;
  for (const v1::Submission& item : SubmissionsIn(frames)) {
    if (item.has_message()) {
      v1::Header header = *ParseHeader(item.message().header());
      const int64_t sent = header.sent_minute();
      std::string& line = lines[header.referral_id()][NameOf(header.sender_unit())];
      line += "  to " + NameOf(header.recipient_unit()) + " token " + Length(header.token_hash()) +
              " header " + Length(item.message().header()) + " sealed " +
              Length(item.message().sealed());
      // The rest as it stands, times counted from the sending.
      header.set_respond_by(header.respond_by() - sent);
      header.set_expires_at(header.expires_at() - sent);
      for (const auto clear : {&v1::Header::clear_message_id, &v1::Header::clear_referral_id,
                               &v1::Header::clear_sender_unit, &v1::Header::clear_recipient_unit,
                               &v1::Header::clear_token_hash, &v1::Header::clear_sent_minute}) {
        (header.*clear)();
      }
      line += " " + header.ShortDebugString() + "\n";
      continue;
    }
    v1::TokenRegistration registration = item.registration();
    std::string text = "token of " + NameOf(registration.issuer_unit()) + " presented by " +
                       NameOf(registration.presenter_unit()) + " to " +
                       NameOf(registration.recipient_unit()) + " hash " +
                       Length(registration.token_hash()) + " lock " +
                       Length(registration.revocation_lock());
    registration.clear_issuer_unit();
    registration.clear_presenter_unit();
    registration.clear_recipient_unit();
    registration.clear_token_hash();
    registration.clear_revocation_lock();
    texts.push_back(text + " " + registration.ShortDebugString());
  }
  for (const auto& [unused, senders] : lines) {
    std::string text;
    for (const auto& [sender, line] : senders) text.append(sender).append("\n").append(line);
    texts.push_back(text);
  }
  return Sorted(std::move(texts));
}

absl::StatusOr<std::vector<std::string>> HubView::Database() const {
  const std::string path = DatabaseOf(network_.hub());
  ASSIGN_OR_RETURN(const auto tables,
                   QueryDatabase(path,
                                 "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT "
                                 "LIKE 'sqlite_%'"));
  std::vector<std::string> lines;
  for (const DatabaseRow& table : tables) {
    const std::string& name = table.front();
    ASSIGN_OR_RETURN(const auto columns,
                     QueryDatabase(path, "SELECT name FROM pragma_table_info('" + name + "')"));
    ASSIGN_OR_RETURN(const auto rows, QueryDatabase(path, "SELECT * FROM " + name));
    for (const DatabaseRow& row : rows) {
      std::string line = name;
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string& column = columns[i].front();
        if (OfTheRun().contains(column)) continue;
        line.append(" ").append(column).append("=");
        if (names_.contains(row[i])) {
          line += NameOf(row[i]);
        } else {
          line += Drawn().contains(column) ? Length(row[i]) : row[i];
        }
      }
      lines.push_back(std::move(line));
    }
  }
  return Sorted(std::move(lines));
}

std::string HubView::LogText() const {
  const auto text = ReadPublicFile(network_.hub().folder() + "/hub.log");
  return text.ok() ? *text : "";
}

std::vector<std::string> HubView::Log() const {
  std::string text = LogText().substr(logged_before_);
  for (const auto& [id, name] : names_) {
    text = absl::StrReplaceAll(text, {{absl::BytesToHexString(id), name}});
  }
  std::vector<std::string> lines;
  const std::vector<std::string> logged = absl::StrSplit(text, '\n', absl::SkipEmpty());
  lines.reserve(logged.size());
  for (const std::string& line : logged) {
    // The time comes first.
    lines.push_back(line.substr(line.find(' ') + 1));
  }
  return Sorted(std::move(lines));
}

std::vector<std::string> HubView::Metrics(const std::string& text) {
  std::vector<std::string> samples;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    const bool measure = std::any_of(std::begin(kMeasures), std::end(kMeasures),
                                     [&](const char* name) { return line.rfind(name, 0) == 0; });
    if (line.front() != '#' && !measure) samples.push_back(line);
  }
  return Sorted(std::move(samples));
}

}  // namespace waymark::testing
