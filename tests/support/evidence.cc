#include "tests/support/evidence.h"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/directory/pem.h"
#include "base/envelope/header.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "client/directory/keyring.h"
#include "client/directory/replica.h"

namespace waymark::testing {
namespace {

constexpr size_t kHashBytes = 32;

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

bool IsSubmission(const v1::Submission& item) {
  if (item.has_message()) return ParseHeader(item.message().header()).ok();
  return item.registration().token_hash().size() == kHashBytes;
}

}  // namespace

std::vector<v1::Submission> SubmissionsIn(const std::vector<std::string>& frames) {
  std::vector<v1::Submission> submissions;
  for (const std::string& bytes : frames) {
    // The record holds every request that the hub was sent; a submit frame is told by its content.
    v1::ConnectRequest frame;
    if (!frame.ParseFromString(bytes) || !frame.has_submit()) continue;
    const auto& items = frame.submit().items();
    if (!std::all_of(items.begin(), items.end(), IsSubmission)) continue;
    submissions.insert(submissions.end(), items.begin(), items.end());
  }
  return submissions;
}

std::vector<RecordedMessage> MessagesIn(const std::vector<v1::Submission>& submissions) {
  std::vector<RecordedMessage> messages;
  for (const v1::Submission& item : submissions) {
    if (!item.has_message()) continue;
    messages.push_back({*ParseHeader(item.message().header()), item.message()});
  }
  return messages;
}

absl::StatusOr<std::unique_ptr<node::Vault>> OpenVault(const NodeProcess& node) {
  ASSIGN_OR_RETURN(const node::MasterKey key, node::MasterKey::FromFile(node.key_file()));
  return node::Vault::Open({.path = DatabaseOf(node)}, key, SystemRandom());
}

absl::StatusOr<std::vector<Opened>> OpenRecorded(NetworkFixture& network, const std::string& handle,
                                                 const UnitId& unit) {
  ASSIGN_OR_RETURN(const auto frames, network.hub().Recorded());
  ASSIGN_OR_RETURN(const auto vault, OpenVault(network.node(handle)));
  const Network& trusted = network.registry().network();
  ASSIGN_OR_RETURN(const auto replica,
                   node::Replica::Open(trusted.id, trusted.registry_key, *vault, network.clock()));
  const auto directory = replica->snapshot();
  const auto key_of = [&](const UnitId& sender) -> absl::StatusOr<VerifyingKey> {
    const node::MemberEntry* member = directory->MemberOf(sender);
    if (member == nullptr) return Error(v1::REASON_UNIT_UNKNOWN, "a sender's unit");
    return member->identity_key;
  };
  std::vector<OpeningKey> keys;
  RETURN_IF_ERROR(vault->Read([&](const node::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(keys, node::OpeningKeys(reader, unit));
    return absl::OkStatus();
  }));
  std::vector<Opened> opened;
  for (const RecordedMessage& recorded : MessagesIn(SubmissionsIn(frames))) {
    if (recorded.header.recipient_unit() != unit.bytes()) continue;
    ASSIGN_OR_RETURN(Opened message, OpenMessage(recorded.message, trusted.id, unit, keys, key_of));
    opened.push_back(std::move(message));
  }
  return opened;
}

absl::StatusOr<std::vector<RoutedMessage>> RoutingLog(const HubProcess& hub) {
  ASSIGN_OR_RETURN(
      const auto rows,
      QueryDatabase(DatabaseOf(hub), "SELECT sender, recipient, kind FROM routing ORDER BY row"));
  std::vector<RoutedMessage> routed;
  for (const DatabaseRow& row : rows) {
    int kind = v1::KIND_UNSPECIFIED;
    const bool read = absl::SimpleAtoi(row[2], &kind);
    const auto sender = UnitId::FromBytes(row[0]);
    const auto recipient = UnitId::FromBytes(row[1]);
    if (!read || !sender || !recipient) {
      return Error(v1::REASON_DATA_CORRUPT, "a line of the hub's routing log");
    }
    routed.push_back(
        {.sender = *sender, .recipient = *recipient, .kind = static_cast<v1::Kind>(kind)});
  }
  return routed;
}

absl::StatusOr<std::vector<DatabaseRow>> QueryDatabase(const std::string& path,
                                                       const std::string& sql) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  if (result == SQLITE_OK) {
    result = sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
  }
  std::vector<DatabaseRow> rows;
  while (result == SQLITE_OK || result == SQLITE_ROW) {
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW) break;
    DatabaseRow& row = rows.emplace_back();
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
      // As a blob, because text would end at a zero.
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const int size = sqlite3_column_bytes(statement, column);
      row.emplace_back(bytes == nullptr ? "" : std::string(bytes, static_cast<size_t>(size)));
    }
  }
  const std::string error = sqlite3_errmsg(database);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  if (result == SQLITE_DONE) return rows;
  return Error(v1::REASON_INTERNAL, path + " cannot be read: " + error);
}

std::string DatabaseOf(const HubProcess& hub) { return hub.folder() + "/data/hub.sqlite"; }
std::string DatabaseOf(const NodeProcess& node) { return node.data() + "/vault.db"; }

std::vector<std::string> FilesWith(const std::vector<std::filesystem::path>& files,
                                   std::string_view needle, bool any_case) {
  const auto normal = [&](const std::string& text) {
    return any_case ? absl::AsciiStrToLower(text) : text;
  };
  const std::string wanted = normal(std::string(needle));
  std::vector<std::string> found;
  for (const std::filesystem::path& path : files) {
    const std::string content = Content(path);
    std::vector<std::string> places = {content, path.string()};
    for (const std::string_view kind : {kPemCertificate, kPemCertificateRequest}) {
      const auto der = DerFromPem(kind, content);
      if (der.ok()) places.push_back(*der);
    }
    if (std::any_of(places.begin(), places.end(), [&](const std::string& place) {
          return normal(place).find(wanted) != std::string::npos;
        })) {
      found.push_back(path.string());
    }
  }
  return found;
}

std::vector<std::filesystem::path> FilesIn(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

}  // namespace waymark::testing
