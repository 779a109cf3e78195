// The routing header, as the hub and both nodes read it.
#include <cstdint>
#include <string>

#include "base/envelope/header.h"
#include "base/envelope/payload.h"
#include "base/schema/redact.h"
#include "base/schema/validate.h"
#include "server/routing/submitted.h"
#include "tests/fuzz/invariant.h"

namespace waymark {
namespace {

void CheckRead(std::string_view bytes, const v1::Header& header) {
  const std::string again = header.SerializeAsString();
  const auto reread = ParseHeader(again);
  HOLDS(reread.ok());
  HOLDS(fuzz::SameBytes(*reread, header));
  HOLDS(ValidateSection(header).ok());
  HOLDS(!Redacted(header).empty());

  const OrganisationId sender = *OrganisationId::FromBytes(std::string(16, 'o'));
  v1::Message message;
  message.set_header(std::string(bytes));
  message.set_sealed(std::string(BucketBytes(header.size_bucket()), 'x'));
  message.set_signature("s");
  const auto submitted = hub::ReadMessage(sender, message);
  HOLDS(submitted.ok());
  HOLDS(submitted->id.view() == header.message_id());
  v1::Submission item;
  *item.mutable_message() = message;
  HOLDS(hub::ItemId(item) == header.message_id());

  message.mutable_sealed()->push_back('x');
  HOLDS(fuzz::FailedWith(hub::ReadMessage(sender, message).status(), {v1::REASON_BUCKET_MISMATCH}));
}

void Check(std::string_view bytes) {
  const auto header = ParseHeader(bytes);
  if (header.ok()) {
    CheckRead(bytes, *header);
  } else {
    HOLDS(fuzz::FailedWith(header.status(),
                           {v1::REASON_MALFORMED, v1::REASON_FIELD_INVALID, v1::REASON_ENUM_UNKNOWN,
                            v1::REASON_TIME_INVALID, v1::REASON_VERSION_UNSUPPORTED}));
  }
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waymark::Check(waymark::fuzz::View(data, size));
  return 0;
}
