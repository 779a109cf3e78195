// The C++ side of the interoperability test: what the independent client needs but cannot make
// itself (certificates of a network), and our own sealing and opening to hold its own against.
//
//   interop_peer network FOLDER
//     makes a network in FOLDER: a hub ready to serve, the registry's keys, and certificates of two
//     members, of one whose certificate has ended and of a member of another network; prints ids.
//   interop_peer open NETWORK UNIT KEY_ID PRIVATE_KEY IDENTITY_KEY MESSAGE
//     prints the serialised payload of a message sealed elsewhere, or fails with the reason.
//   interop_peer seal NETWORK KEY_ID PUBLIC_KEY HEADER PAYLOAD
//     prints a new identity key and the message that it signed.
//
// Everything binary is hexadecimal.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "base/directory/network.h"
#include "base/directory/pem.h"
#include "base/envelope/seal.h"
#include "base/identity/files.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "tests/support/test_network.h"

namespace waymark {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

std::string Bytes(const std::string& hex) { return absl::HexStringToBytes(hex); }

template <typename SomeId>
absl::StatusOr<SomeId> ReadId(const std::string& hex) {
  const auto id = SomeId::FromHex(hex);
  if (!id) return Error(v1::REASON_FIELD_INVALID, "an id of 32 hexadecimal digits");
  return *id;
}

absl::Status Store(const std::string& path, const KeyAndCertificate& issued) {
  RETURN_IF_ERROR(WriteSecretFile(path + ".key", issued.key_pem));
  return WritePublicFile(path + ".crt", issued.certificate_pem);
}

absl::Status StoreMember(TestNetwork& network, const std::string& folder, const std::string& handle,
                         absl::Duration validity) {
  const SpiffeId id = network.NewMember();
  std::cout << handle << " " << id.organisation.hex() << "\n";
  return Store(folder + "/" + handle, network.Issue({.id = id, .validity = validity}));
}

absl::Status StoreNetworkFile(TestNetwork& network, const std::string& folder,
                              const SigningKey& registry) {
  v1::Network file;
  file.set_network_id(network.id().bytes());
  file.set_name("Interoperability");
  ASSIGN_OR_RETURN(*file.mutable_ca_certificate(), DerFromPem(kPemCertificate, network.ca_pem()));
  file.set_registry_key(registry.verifying_key().spki());
  file.add_hub_addresses("127.0.0.1:1");
  file.add_enrolment_addresses("127.0.0.1:1");
  file.set_version(1);
  return WritePublicFile(folder + "/network.json", FormatNetwork(file));
}

absl::Status MakeNetwork(const std::string& folder) {
  // Made in the past, so that a certificate can have ended by now.
  TestNetwork network(1, absl::Now() - 3 * kDay);
  TestNetwork other(2, absl::Now() - 3 * kDay);
  const SigningKey registry = SigningKey::Generate();
  const std::string hub = folder + "/hub";
  std::filesystem::create_directories(hub);
  std::filesystem::permissions(hub, std::filesystem::perms::owner_all);

  RETURN_IF_ERROR(StoreMember(network, folder, "expired", kDay));
  network.clock().Advance(3 * kDay);
  other.clock().Advance(3 * kDay);
  RETURN_IF_ERROR(StoreMember(network, folder, "qso", kDay));
  RETURN_IF_ERROR(StoreMember(network, folder, "lin", kDay));
  RETURN_IF_ERROR(StoreMember(other, folder, "stranger", kDay));
  RETURN_IF_ERROR(Store(folder + "/operator",
                        network.Issue({.id = SpiffeId::Registry(network.id()), .validity = kDay})));
  RETURN_IF_ERROR(Store(hub + "/hub", network.IssueHub()));
  RETURN_IF_ERROR(WriteSecretFile(folder + "/registry.key", registry.ToPem()));
  RETURN_IF_ERROR(WritePublicFile(folder + "/ca.crt", network.ca_pem()));
  RETURN_IF_ERROR(StoreNetworkFile(network, folder, registry));
  std::cout << "network " << network.id().hex() << "\n";
  return WritePublicFile(folder + "/hub.yaml",
                         "data: hub\nnetwork: network.json\nlisten: 127.0.0.1:0\n"
                         "enrolment_listen: 127.0.0.1:0\nmetrics_listen: 127.0.0.1:0\n");
}

absl::Status Open(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const NetworkId network, ReadId<NetworkId>(arguments[0]));
  ASSIGN_OR_RETURN(const UnitId unit, ReadId<UnitId>(arguments[1]));
  std::vector<OpeningKey> keys(1);
  ASSIGN_OR_RETURN(keys[0].id, ReadId<KeyId>(arguments[2]));
  keys[0].private_key = SecretBytes::CopyOf(Bytes(arguments[3]));
  ASSIGN_OR_RETURN(const VerifyingKey identity, VerifyingKey::FromSpki(Bytes(arguments[4])));
  v1::Message message;
  if (!message.ParseFromString(Bytes(arguments[5]))) {
    return Error(v1::REASON_MALFORMED, "the message");
  }
  ASSIGN_OR_RETURN(
      const Opened opened,
      OpenMessage(message, network, unit, keys,
                  [&identity](const UnitId&) -> absl::StatusOr<VerifyingKey> { return identity; }));
  std::cout << absl::BytesToHexString(opened.payload.SerializeAsString()) << "\n";
  return absl::OkStatus();
}

absl::Status Seal(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const NetworkId network, ReadId<NetworkId>(arguments[0]));
  SealingKeyRef key;
  ASSIGN_OR_RETURN(key.id, ReadId<KeyId>(arguments[1]));
  key.public_key = Bytes(arguments[2]);
  v1::Header header;
  v1::Payload payload;
  if (!header.ParseFromString(Bytes(arguments[3])) ||
      !payload.ParseFromString(Bytes(arguments[4]))) {
    return Error(v1::REASON_MALFORMED, "header or payload");
  }
  const SigningKey identity = SigningKey::Generate();
  ASSIGN_OR_RETURN(const v1::Message message,
                   SealMessage(network, key, header, payload, identity, SystemRandom()));
  std::cout << absl::BytesToHexString(identity.verifying_key().spki()) << "\n"
            << absl::BytesToHexString(message.SerializeAsString()) << "\n";
  return absl::OkStatus();
}

absl::Status Run(const std::string& command, const std::vector<std::string>& arguments) {
  if (command == "network" && arguments.size() == 1) return MakeNetwork(arguments[0]);
  if (command == "open" && arguments.size() == 6) return Open(arguments);
  if (command == "seal" && arguments.size() == 5) return Seal(arguments);
  return Error(v1::REASON_FIELD_INVALID, "usage: interop_peer network|open|seal ARGUMENTS");
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const absl::Status status =
      waymark::Run(command, std::vector<std::string>(argv + std::min(argc, 2), argv + argc));
  if (status.ok()) return 0;
  std::cerr << waymark::ReasonName(waymark::ReasonOf(status)) << ": " << status.message() << "\n";
  return 1;
}
