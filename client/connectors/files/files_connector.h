// A connector to a system that takes in and puts out files, in folders of this machine or of a
// share that is mounted here.
//
// A record is a file named after its key. What another program takes away (`collected`) cannot be
// erased any more, and a repeated write may come to it twice unless it tells by the name.
//
// See connector.h for threads and errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/files/files_settings.h"
#include "client/connectors/files/incoming.h"

namespace waymark::node {

class FilesConnector : public Connector {
 public:
  // `steady` outlives the connector.
  FilesConnector(const FilesSettings& settings, Clock& steady);

  bool keyed() const override { return !out_ || out_->keyed; }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;
  absl::Status Taken(Feed feed, std::string_view cursor) override;

 private:
  absl::Status Put(const LocalRecord& record) const;
  std::string NameOf(std::string_view key) const;
  std::optional<Incoming>& in(Feed feed) { return feed == Feed::kCapacity ? capacity_ : updates_; }

  const std::optional<OutFolder> out_;
  std::optional<Incoming> capacity_;
  std::optional<Incoming> updates_;
};

}  // namespace waymark::node
