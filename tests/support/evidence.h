// What a test network leaves behind, read as an investigator would who holds every disk and key.
//
// For after the processes have stopped: databases are opened in place. Not thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/envelope/seal.h"
#include "base/ids/ids.h"
#include "client/vault/vault.h"
#include "tests/support/network_fixture.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::testing {

// The messages and registrations among recorded frames, in order.
std::vector<v1::Submission> SubmissionsIn(const std::vector<std::string>& frames);

// The messages among them that are of `kind`, with their headers.
struct RecordedMessage {
  v1::Header header;
  v1::Message message;
};
std::vector<RecordedMessage> MessagesIn(const std::vector<v1::Submission>& submissions);

// The vault of a node that has stopped, opened with the node's own master key.
absl::StatusOr<std::unique_ptr<node::Vault>> OpenVault(const NodeProcess& node);

// What the hub was sent for the node's unit, opened with the node's own keys.
absl::StatusOr<std::vector<Opened>> OpenRecorded(NetworkFixture& network, const std::string& handle,
                                                 const UnitId& unit);

// One line of the hub's routing log.
struct RoutedMessage {
  UnitId sender;
  UnitId recipient;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
};
absl::StatusOr<std::vector<RoutedMessage>> RoutingLog(const HubProcess& hub);

// The rows that `sql` reads from a SQLite file, each column as text; blobs are their bytes, nothing
// is the empty text. INTERNAL: the file or the statement does not serve.
using DatabaseRow = std::vector<std::string>;
absl::StatusOr<std::vector<DatabaseRow>> QueryDatabase(const std::string& path,
                                                       const std::string& sql);
// The database of a hub, and of a node that has stopped.
std::string DatabaseOf(const HubProcess& hub);
std::string DatabaseOf(const NodeProcess& node);

// The names of the files that hold `needle`, in their bytes, their name or a certificate or request
// in PEM armour inside them.
std::vector<std::string> FilesWith(const std::vector<std::filesystem::path>& files,
                                   std::string_view needle, bool any_case = false);

// The files under a folder.
std::vector<std::filesystem::path> FilesIn(const std::string& folder);

}  // namespace waymark::testing
