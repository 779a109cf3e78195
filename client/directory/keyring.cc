#include "client/directory/keyring.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/status/status.h"
#include "client/vault/typed.h"
#include "waymark/local/v1/directory.pb.h"

namespace waymark::node {

absl::StatusOr<std::vector<OpeningKey>> OpeningKeys(const Reader& reader, const UnitId& unit) {
  ASSIGN_OR_RETURN(auto stored, ParseAll<local::v1::OwnSealingKey>(
                                    reader.List(DocumentKind::kSealingKey, unit)));
  std::vector<OpeningKey> keys;
  keys.reserve(stored.size());
  // The vault lists the oldest first.
  std::reverse(stored.begin(), stored.end());
  for (auto& [id, key] : stored) {
    keys.push_back({id.As<KeyId>(), SecretBytes::TakeFrom(*key.mutable_private_key())});
  }
  return keys;
}

}  // namespace waymark::node
