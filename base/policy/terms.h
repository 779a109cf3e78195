// What the rules need of a consent, whether it is read from the record or from the token. Internal
// to base/policy.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {

struct Terms {
  static Terms Of(const v1::ConsentRecord& record);
  static Terms Of(const v1::ConsentToken& token, bool revoked);

  // The unit that sends under it, 16 bytes: the record's controller, the token's presenter.
  std::string origin;
  // 16 bytes each.
  std::vector<std::string> recipients;
  std::set<uint32_t> purposes;
  std::set<uint32_t> scope;
  std::set<uint32_t> special;
  std::set<uint32_t> returns;
  v1::Stage ceiling = v1::STAGE_UNSPECIFIED;
  absl::Time from;
  absl::Time until;
  v1::LegalBasis basis = v1::LEGAL_BASIS_UNSPECIFIED;
  v1::CaptureKind capture = v1::CAPTURE_KIND_UNSPECIFIED;
  std::string policy_pack;
  bool readback_confirmed = false;
  bool transport_named = false;
  bool separate_release = false;
  bool withdrawn = false;
  // How the consent was given; nullptr when only the token is known.
  const v1::ConsentRecord* record = nullptr;
  // nullptr when read from the record.
  const v1::ConsentToken* token = nullptr;

  // The person is a minor, as far as this side can know.
  bool minor() const {
    return basis == v1::LEGAL_BASIS_GUARDIAN_CONSENT || (record != nullptr && record->has_minor());
  }
};

// `seconds` and `nanos` as a time.
absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);

}  // namespace waymark
