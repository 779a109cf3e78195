// What the configuration says of an HTTP server with an interface of its own:
//
//   referrals:
//     write: PUT /matters/{key}
//     erase: DELETE /matters/{key}
//   updates:
//     read: GET /changes?after={cursor}&limit={limit}
//     items: /changes                # JSON pointer to the list in the answer
//     item_cursor: /number           # ... and, in each item, to what {cursor} is next time
//     start: 0
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "client/connectors/connector.h"
#include "client/connectors/http/access.h"

namespace waymark::node {

// A method and a path below the address, in which names stand in braces.
struct HttpTarget {
  std::string method;
  std::string path;
};

struct HttpFeed {
  HttpTarget read;
  // JSON pointers. To the items in the answer.
  std::string items;
  // To what {cursor} is next time, in the answer or in the last item; both empty: every read is of
  // everything.
  std::string cursor;
  std::string item_cursor;
  // What {cursor} is first.
  std::string start;
  // To a link to the next page, in the answer; empty: there is none.
  std::string next;
};

struct HttpSettings {
  HttpAccess access;
  std::optional<HttpTarget> write = std::nullopt;
  std::optional<HttpTarget> erase = std::nullopt;
  bool keyed = false;
  std::optional<HttpFeed> capacity = std::nullopt;
  std::optional<HttpFeed> updates = std::nullopt;

  const std::optional<HttpFeed>& feed(Feed feed) const {
    return feed == Feed::kCapacity ? capacity : updates;
  }
};

absl::StatusOr<HttpSettings> ReadHttpSettings(ConfigSection& connector);

}  // namespace waymark::node
