// Files that people write or paste: configuration, invitation, network file. The first byte says
// which.
#include <cstdint>
#include <string>

#include "base/config/config.h"
#include "base/directory/invitation.h"
#include "base/directory/network.h"
#include "base/schema/canonical_json.h"
#include "tests/fuzz/invariant.h"

namespace waymark {
namespace {

template <typename Read>
void CheckValue(const Read& read) {
  if (!read.ok()) HOLDS(fuzz::FailedWith(read.status(), {v1::REASON_CONFIG_INVALID}));
}

// Asks for the same key in every way.
void ReadEverything(ConfigSection section, int depth) {
  const std::string key = "key";
  const bool present = section.Has(key);
  CheckValue(section.String(key));
  CheckValue(section.Path(key));
  CheckValue(section.Choice(key, {"text", "json"}));
  CheckValue(section.Bool(key));
  CheckValue(section.Size(key));
  CheckValue(section.Strings(key));
  const auto address = section.Address(key);
  CheckValue(address);
  if (address.ok()) HOLDS(address->find(':') != std::string::npos);
  const auto number = section.Integer(key, -5, 99);
  CheckValue(number);
  if (number.ok()) HOLDS(*number >= -5 && *number <= 99);
  const auto duration = section.Duration(key);
  CheckValue(duration);
  if (duration.ok()) HOLDS(*duration >= absl::ZeroDuration());
  if (!present) HOLDS(section.Bool(key, true).value());

  auto nested = section.Section("section");
  CheckValue(nested);
  if (nested.ok() && depth > 0) ReadEverything(*nested, depth - 1);
  auto list = section.Sections("sections");
  CheckValue(list);
  if (list.ok() && depth > 0) {
    for (const ConfigSection& entry : *list) ReadEverything(entry, depth - 1);
  }
}

void CheckConfig(const std::string& text) {
  auto file = ConfigFile::Parse(text, "/etc/waymark/hub.yaml");
  CheckValue(file);
  if (!file.ok()) return;
  ReadEverything(file->root(), 3);
  const absl::Status finished = file->Finish();
  HOLDS(finished.ok() || fuzz::FailedWith(finished, {v1::REASON_CONFIG_INVALID}));
}

void CheckInvitation(const std::string& text) {
  const auto invitation = ParseInvitation(text);
  if (!invitation.ok()) {
    HOLDS(fuzz::FailedWith(invitation.status(), {v1::REASON_INVITATION_INVALID}));
    // A damaged invitation may still hold its secret: whatever it holds, the error is the same.
    HOLDS(invitation.status() == ParseInvitation("").status());
    return;
  }
  const auto again = ParseInvitation(FormatInvitation(*invitation));
  HOLDS(again.ok());
  HOLDS(fuzz::SameBytes(*again, *invitation));
}

void CheckNetworkFile(const std::string& text) {
  const auto network = ParseNetwork(text);
  if (!network.ok()) {
    HOLDS(fuzz::FailedWith(network.status(), {v1::REASON_FILE_UNUSABLE}));
    return;
  }
  HOLDS(!network->hub_addresses.empty() && network->version > 0);
  v1::Network message;
  HOLDS(FromJson(text, message).ok());
  const auto again = ParseNetwork(FormatNetwork(message));
  HOLDS(again.ok());
  HOLDS(again->id == network->id && again->ca_pem == network->ca_pem &&
        again->registry_key == network->registry_key && again->version == network->version);
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = waymark::fuzz::View(data, size);
  const uint8_t kind = waymark::fuzz::TakeByte(input);
  const std::string text(input);
  if (kind == 'i') {
    waymark::CheckInvitation(text);
  } else if (kind == 'n') {
    waymark::CheckNetworkFile(text);
  } else {
    waymark::CheckConfig(text);
  }
  return 0;
}
