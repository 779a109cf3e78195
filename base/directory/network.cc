#include "base/directory/network.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/config/address.h"
#include "base/directory/pem.h"
#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"

namespace waymark {
namespace {

constexpr size_t kMaxNetworkNameBytes = 80;
constexpr size_t kMaxFileBytes = 64 * 1024;

absl::Status Invalid(std::string_view field) {
  return Error(v1::REASON_FIELD_INVALID, "network file, " + std::string(field));
}

absl::Status CheckAddresses(const google::protobuf::RepeatedPtrField<std::string>& addresses,
                            const std::string& field) {
  if (addresses.empty()) return Invalid(field + ": is empty");
  for (const std::string& address : addresses) {
    if (!IsPeerAddress(address)) {
      return Invalid(absl::StrCat(field, ": expected ", std::string(kPeerAddressForm), ", not '",
                                  address, "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Network> CheckNetwork(const v1::Network& network) {
  const auto id = NetworkId::FromBytes(network.network_id());
  if (!id) return Invalid("network_id: expected 16 bytes");
  if (network.name().empty() || network.name().size() > kMaxNetworkNameBytes) {
    return Invalid("name: expected 1 to 80 bytes");
  }
  if (network.ca_certificate().empty()) return Invalid("ca_certificate: is missing");
  RETURN_IF_ERROR(CheckAddresses(network.hub_addresses(), "hub_addresses"));
  RETURN_IF_ERROR(CheckAddresses(network.enrolment_addresses(), "enrolment_addresses"));
  if (network.version() == 0) return Invalid("version: expected at least 1");
  auto registry_key = VerifyingKey::FromSpki(network.registry_key());
  if (!registry_key.ok()) return Annotate(registry_key.status(), "network file, registry_key");
  return Network{
      .id = *id,
      .name = network.name(),
      .ca_pem = PemFromDer(kPemCertificate, network.ca_certificate()),
      .registry_key = *std::move(registry_key),
      .hub_addresses = {network.hub_addresses().begin(), network.hub_addresses().end()},
      .enrolment_addresses = {network.enrolment_addresses().begin(),
                              network.enrolment_addresses().end()},
      .version = network.version(),
  };
}

absl::StatusOr<Network> ParseNetwork(std::string_view json) {
  v1::Network network;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &network);
  if (!parsed.ok()) {
    return Error(v1::REASON_FILE_UNUSABLE, "the network file is not the JSON of a network");
  }
  auto checked = CheckNetwork(network);
  if (!checked.ok()) {
    // The text has a cure already.
    return ErrorFromPeer(absl::StatusCode::kInvalidArgument,
                         std::string(checked.status().message()), v1::REASON_FILE_UNUSABLE);
  }
  return checked;
}

absl::StatusOr<Network> LoadNetwork(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string json(kMaxFileBytes + 1, '\0');
  file.read(json.data(), static_cast<std::streamsize>(json.size()));
  json.resize(static_cast<size_t>(file.gcount()));
  if (!file.is_open() || file.bad()) {
    return Error(v1::REASON_FILE_UNUSABLE, "the network file " + path + " cannot be read");
  }
  if (json.empty() || json.size() > kMaxFileBytes) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the network file " + path + (json.empty() ? " is empty" : " exceeds 64 KiB"));
  }
  auto network = ParseNetwork(json);
  if (!network.ok()) return Annotate(network.status(), path);
  return network;
}

std::string FormatNetwork(const v1::Network& network) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // A message without Any fields always prints.
  (void)google::protobuf::util::MessageToJsonString(network, &json, options);
  return json;
}

}  // namespace waymark
