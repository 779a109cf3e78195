// A connector to a system behind an HTTP interface of its own that takes and gives JSON.
//
// A record is put to an address with its key, or posted. What was refused, and what was lost before
// it left, is certainly not written; of anything else nobody knows, so that a keyed write is made
// again and another one is uncertain. client.h is the transport.
//
// See connector.h for threads and errors.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/http/client.h"
#include "client/connectors/http/http_settings.h"

namespace waymark::node {

class HttpConnector : public Connector {
 public:
  // `steady` outlives it.
  HttpConnector(HttpSettings settings, absl::Duration time_limit, Clock& steady);

  bool keyed() const override { return settings_.keyed; }
  absl::Status Ready() override { return client_.CheckSecrets(); }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;

 private:
  HttpReply Change(const HttpTarget& target, std::string_view key, std::optional<std::string> body);

  const HttpSettings settings_;
  const absl::Duration time_limit_;
  HttpClient client_;
};

}  // namespace waymark::node
