// What is read to the person before a consent is recorded.
//
// Collaborators: consents.h looks up who is named and what is noted, and takes the digest of the
// lines, so the same consent must give the same lines. The words for services, sections, fields,
// duties and stages are the catalogue's. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/schema/catalogue.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// A unit that the consent names. Borrowed for the call.
struct ReadBackParty {
  const v1::Unit* unit = nullptr;
  const v1::Member* member = nullptr;
  // nullptr when the member published none.
  const v1::Profile* profile = nullptr;
};

// What the read-back says beyond the consent itself.
struct ReadBackContext {
  std::vector<ReadBackParty> recipients;
  // To whom the recipients may pass fields on.
  std::vector<ReadBackParty> onward;
  // The fields about which the case has something.
  std::set<uint32_t> noted;
};

// Returns who gets what, what they must report, for what, up to where, until when, and how to take
// it back. One sentence a line; fields of the special class stand alone, for a yes of their own.
std::vector<std::string> ReadBackLines(const Catalogue& catalogue, const v1::ConsentRecord& consent,
                                       const ReadBackContext& context);

}  // namespace waymark::node
