// A connector to a FHIR R4 server.
//
// A referral is a ServiceRequest with its Task, and perhaps a Patient. They carry the record's key
// as an identifier and are written in one transaction of conditional updates, so that the server
// has each once, however often it is written. The status of the Task goes both ways: a newer one is
// written back, one that the clinic has moved on is read as an update and left as it is. record.h
// says how resources are made, flavour.h what differs between networks; the transport is that of
// the HTTP connector.
//
// See connector.h for threads and errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/fhir/bundle.h"
#include "client/connectors/fhir/fhir_settings.h"
#include "client/connectors/fhir/record.h"
#include "client/connectors/http/client.h"

namespace waymark::node {

class FhirConnector : public Connector {
 public:
  // `steady` outlives it.
  FhirConnector(FhirSettings settings, absl::Duration time_limit, Clock& steady);

  bool keyed() const override { return true; }
  absl::Status Ready() override { return client_.CheckSecrets(); }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;

 private:
  // Sends what a server of FHIR takes, and says the codes of an OperationOutcome.
  HttpReply Ask(const std::string& method, const std::string& path, std::optional<std::string> body,
                absl::Time deadline);
  WriteResult Transact(std::string transaction, absl::Time deadline);
  absl::StatusOr<FhirPage> PageOf(const HttpReply& reply, const std::string& path) const;
  absl::StatusOr<FhirPage> Search(const std::string& path, absl::Time deadline);
  // The one resource of the type and key; nullopt when there is none.
  absl::StatusOr<std::optional<std::string>> FindOne(std::string_view type, const FhirKey& key,
                                                     absl::Time deadline);
  WriteResult LeaveShells(const FhirKey& key, absl::Time deadline);
  absl::StatusOr<FeedPage> ReadCapacity(std::string_view cursor, absl::Time deadline);
  absl::StatusOr<FeedPage> ReadUpdates(std::string_view cursor, absl::Time deadline);

  const FhirSettings settings_;
  const absl::Duration time_limit_;
  HttpClient client_;
};

}  // namespace waymark::node
