// A member whose node is the test itself: it joins a real network with keys of its own and speaks
// the protocol frame by frame, with nothing but the shared library and the .proto files.
//
// For what a real node would never send (changed, moved and replayed messages, foreign signatures)
// and for knowing exactly what the hub confirmed. Collaborators: Operator and RegistryDesk (its
// approval), wire_stream.h. Not thread-safe; what Join is given outlives the member.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "base/directory/network.h"
#include "base/envelope/seal.h"
#include "base/rpc/credentials.h"
#include "base/time/clock.h"
#include "client/operator/operator.h"
#include "tests/support/wire_stream.h"
#include "waymark/v1/directory_service.grpc.pb.h"

namespace waymark::testing {

class WireMember {
 public:
  // Is invited, asks, is approved and publishes its unit's sealing key. The folder is made for its
  // TLS files.
  static absl::StatusOr<std::unique_ptr<WireMember>> Join(const std::string& folder,
                                                          const node::MemberPlan& plan,
                                                          node::Operator& registry,
                                                          node::RegistryDesk& desk, Clock& clock);

  const TlsFiles& tls() const { return tls_; }
  const SigningKey& identity_key() const { return identity_key_; }
  const NetworkId& network() const { return network_.id; }
  // Its units, in the order of its plan; only the first has a published sealing key.
  const std::vector<UnitId>& units() const { return own_units_; }
  UnitId unit() const { return own_units_.front(); }
  // To the hub, under its own certificate.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Publishes a service of its unit, with room in it.
  absl::Status PublishService(const v1::Service& service);

  // Opens a stream, in place of the one before, and says hello with the position reached. Like any
  // node it tries again, for 20 s, while the hub is not there: the connection to a hub that has
  // restarted may look whole until it is used.
  absl::StatusOr<v1::Welcome> Connect();
  // Ends the stream without a word.
  void Disconnect() { stream_.reset(); }

  // Submits items in one frame and waits for their outcomes; UNAVAILABLE when the stream or the
  // time ends first.
  absl::StatusOr<std::vector<v1::Outcome>> Submit(const std::vector<v1::Submission>& items,
                                                  absl::Duration within = absl::Seconds(20));
  // The same for one message: the reason of its outcome.
  absl::StatusOr<v1::Reason> Submit(const v1::Message& message);

  // The next delivered message, opened and acknowledged; nullopt when none comes in time.
  // Deliveries whose seal does not hold end the test's patience: their error is returned.
  absl::StatusOr<std::optional<Opened>> NextMessage(absl::Duration within = absl::Seconds(20));
  // Why the hub said goodbye on the present stream; nullopt while it has not.
  std::optional<v1::Goodbye> goodbye() const { return goodbye_; }
  // Waits for the goodbye.
  std::optional<v1::Goodbye> AwaitGoodbye();

  // A header from this member's unit, sent now, with times and versions as a node fills them in.
  v1::Header HeaderTo(const UnitId& recipient, v1::Kind kind, v1::Stage stage);
  // Seals to the recipient's published key and signs.
  absl::StatusOr<v1::Message> Seal(const v1::Header& header, const v1::Payload& payload);
  // Signs again a message whose header or box the test has changed.
  void Sign(v1::Message& message) const;

  // Reads the directory as it stands: whom to seal to and whose signatures count.
  absl::Status FetchDirectory();
  // A unit by its handle, for example "lin.family".
  absl::StatusOr<UnitId> FindUnit(const std::string& handle) const;

 private:
  WireMember(Network network, SigningKey identity_key, Clock& clock)
      : network_(std::move(network)), identity_key_(std::move(identity_key)), clock_(clock) {}

  absl::Status Enrol(const std::string& invitation, node::Operator& registry,
                     node::RegistryDesk& desk);
  absl::Status Publish(v1::Statement statement);
  // Takes in one frame; outcomes go to `outcomes_`, deliveries to `deliveries_`.
  bool Pump(absl::Duration within);
  absl::StatusOr<v1::Welcome> SayHello();

  const Network network_;
  const SigningKey identity_key_;
  Clock& clock_;
  TlsFiles tls_;
  OrganisationId organisation_;
  std::vector<UnitId> own_units_;
  std::vector<OpeningKey> keys_;
  std::shared_ptr<grpc::Channel> channel_;

  std::map<std::string, UnitId> units_;
  std::map<UnitId, VerifyingKey> identity_keys_;
  std::map<UnitId, SealingKeyRef> sealing_keys_;

  std::unique_ptr<WireStream> stream_;
  std::string epoch_;
  uint64_t cursor_ = 0;
  std::vector<v1::Outcome> outcomes_;
  std::deque<v1::Message> deliveries_;
  std::optional<v1::Goodbye> goodbye_;
};

// As a submission.
v1::Submission Item(const v1::Message& message);
v1::Submission Item(const v1::TokenRegistration& registration);

}  // namespace waymark::testing
