// Reads services out of records of HSDS 3.0 and 3.1 (Open Referral), as its API and its JSON
// examples have them: a service, a service at a location, or an organisation with its services.
//
// What HSDS says in free text has no counterpart in the directory; its paths are listed. Attributes
// of our own exports bring back what HSDS has no place for.
//
// Pure and thread-safe. The catalogue and the tables outlive the reader.
#pragma once

#include <vector>

#include "base/schema/catalogue.h"
#include "client/listing/draft.h"
#include "client/listing/terms.h"
#include "google/protobuf/struct.pb.h"

namespace waymark::node {

class HsdsReader {
 public:
  HsdsReader(const Catalogue& catalogue, const TermTables& terms)
      : catalogue_(catalogue), terms_(terms) {}

  // The services of a record; ordinals are for the caller to set. A record without a service gives
  // none; `left_behind` is then all of it.
  std::vector<ListingDraft> Read(const google::protobuf::Value& record,
                                 std::set<std::string>& left_behind) const;

 private:
  const Catalogue& catalogue_;
  const TermTables& terms_;
};

}  // namespace waymark::node
