// Holds the sealing of Waymark against a file of published HPKE test vectors, for `./dev trial`.
//
// The file is in the JSON form of RFC 9180's own vectors. Every vector of our KEM proves key
// derivation; the ones of our whole suite also prove sealing and opening. Vectors of other suites
// are counted and named, so that a file without ours is not mistaken for a proof.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/crypto/hpke_evp.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/base/crypto/test_support.h"

namespace waymark {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

struct Tally {
  int derivations = 0;
  int boxes = 0;
  int other_suites = 0;
  int mismatches = 0;
};

// The field as text, whether the file writes it as a string or as a number; empty if there is none.
std::string Text(const Struct& object, const std::string& name) {
  const auto field = object.fields().find(name);
  if (field == object.fields().end()) return "";
  const Value& value = field->second;
  if (value.kind_case() == Value::kNumberValue) {
    return std::to_string(static_cast<int>(value.number_value()));
  }
  return value.string_value();
}

std::string Bytes(const Struct& object, const std::string& name) {
  return Unhex(Text(object, name));
}

void Judge(bool matches, std::string_view what, Tally& tally) {
  if (matches) return;
  ++tally.mismatches;
  std::cerr << "differs from the published vector: " << what << '\n';
}

void TryDerivation(const Struct& vector, const std::string& role, Tally& tally) {
  const SecretBytes private_key = hpke::evp::DerivePrivateKey(Bytes(vector, "ikm" + role));
  Judge(private_key.view() == Bytes(vector, "sk" + role + "m") &&
            *hpke::evp::PublicFromPrivate(private_key) == Bytes(vector, "pk" + role + "m"),
        "key pair " + role, tally);
  ++tally.derivations;
}

// The first encryption of the vector: a box of ours is the only one of its key exchange.
void TryBox(const Struct& vector, Tally& tally) {
  const auto encryptions = vector.fields().find("encryptions");
  if (encryptions == vector.fields().end() || encryptions->second.list_value().values().empty()) {
    return Judge(false, "no encryption in the vector", tally);
  }
  const Struct& first = encryptions->second.list_value().values(0).struct_value();
  const SecretBytes ephemeral = hpke::evp::DerivePrivateKey(Bytes(vector, "ikmE"));
  const SecretBytes recipient = hpke::evp::DerivePrivateKey(Bytes(vector, "ikmR"));
  const std::string recipient_public = *hpke::evp::PublicFromPrivate(recipient);
  const std::string info = Bytes(vector, "info");
  const std::string aad = Bytes(first, "aad");
  const std::string plaintext = Bytes(first, "pt");
  const std::string box = Bytes(vector, "enc") + Bytes(first, "ct");

  const auto sealed = hpke::evp::Seal(recipient_public, info, aad, plaintext, ephemeral);
  Judge(sealed.ok() && *sealed == box, "sealed box", tally);
  const auto opened = hpke::evp::Open(recipient, info, aad, box);
  Judge(opened.ok() && opened->view() == plaintext, "opened box", tally);
  ++tally.boxes;
}

void TryVector(const Struct& vector, Tally& tally) {
  const bool our_kem = Text(vector, "kem_id") == "32";
  const bool our_suite = our_kem && Text(vector, "mode") == "0" && Text(vector, "kdf_id") == "1" &&
                         Text(vector, "aead_id") == "2";
  if (our_kem) {
    TryDerivation(vector, "E", tally);
    TryDerivation(vector, "R", tally);
  }
  if (our_suite) {
    TryBox(vector, tally);
  } else {
    ++tally.other_suites;
  }
}

int Run(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  ListValue vectors;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text.str(), &vectors);
  if (!file || !parsed.ok() || vectors.values().empty()) {
    std::cerr << path << " is not a JSON list of HPKE test vectors.\n";
    return 2;
  }
  Tally tally;
  for (const Value& vector : vectors.values()) TryVector(vector.struct_value(), tally);
  std::cout << path << ": " << tally.derivations << " key derivations and " << tally.boxes
            << " boxes of our suite (X25519, HKDF-SHA256, AES-256-GCM) tried, " << tally.mismatches
            << " differ; " << tally.other_suites
            << " vectors are of other suites, whose boxes Waymark does not make.\n";
  return tally.mismatches == 0 && tally.derivations > 0 ? 0 : 1;
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hpke_trial VECTORS.json\n";
    return 2;
  }
  return waymark::Run(argv[1]);
}
