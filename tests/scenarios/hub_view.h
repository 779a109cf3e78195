// Everything that a hub holds of a walk, in a form in which two walks can be compared: what it was
// sent, its database, its log and its metrics.
//
// Left out is only what differs between two runs of the same walk: ids and places in a sequence,
// ciphertext, hashes, locks and signatures (their length stays, where it is fixed), and times that
// depend on the moment of the run. The network's own units and organisations stand under their
// handles. For a hub that has stopped. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/network_fixture.h"

namespace waymark::testing {

class HubView {
 public:
  // Begins before the walk: what was logged so far belongs to the network's making.
  explicit HubView(NetworkFixture& network);

  // What it was sent: a text per referral, sorted, because concurrent referrals may overtake each
  // other, and a line per registration. Within a referral the lines of each sender stand in order.
  absl::StatusOr<std::vector<std::string>> Submissions() const;
  // Every row of every table: the table's name, then what is left of each column; sorted.
  absl::StatusOr<std::vector<std::string>> Database() const;
  // What was logged since the view began, sorted.
  std::vector<std::string> Log() const;
  // Samples of the metrics text, as the hub gave it while it still ran.
  static std::vector<std::string> Metrics(const std::string& text);

 private:
  std::string NameOf(const std::string& id) const;
  std::string LogText() const;

  NetworkFixture& network_;
  // Handles of units and organisations by their ids.
  std::map<std::string, std::string> names_;
  size_t logged_before_ = 0;
};

}  // namespace waymark::testing
