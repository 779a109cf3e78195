// The casework of one node without link and hub: its own unit lin.desk, and a partner, qso.desk,
// whose messages the test seals itself and puts into the inbox.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/crypto/hpke.h"
#include "base/directory/statement.h"
#include "base/envelope/header.h"
#include "base/envelope/seal.h"
#include "base/envelope/token.h"
#include "base/random/random.h"
#include "base/schema/catalogue.h"
#include "base/status/status.h"
#include "client/casework/context.h"
#include "client/casework/referral.h"
#include "client/casework/staff.h"
#include "client/directory/own_statements.h"
#include "client/directory/replica.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::node {

class Office {
 public:
  Office() {
    Publish(lin, own_key_);
    Append(SignStatement(network.Service(lin), lin.identity));
    Watch();
  }

  // Transactions of the vault that succeed; Read returns what `look` found.
  template <typename Change>
  void Write(Change change) {
    const absl::Status written = vault->Write([&](Transaction& t) { return change(t); });
    EXPECT_TRUE(written.ok()) << written;
  }
  template <typename Look>
  auto Read(Look look) {
    std::remove_reference_t<decltype(*look(std::declval<const Reader&>()))> found{};
    const absl::Status read = vault->Read([&](const Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(found, look(reader));
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    return found;
  }

  // The id that TestDirectory gives every sealing key.
  static KeyId TestKeyId() { return *KeyId::FromBytes(std::string(16, 'k')); }

  // The hub's directory, and what of it has reached the node.
  void Append(const v1::SignedStatement& statement) { log_.Append(statement); }
  void AppendMember(const TestOrganisation& organisation) {
    Append(network.ByRegistry(network.Member(organisation)));
  }
  void AppendKeys(const TestOrganisation& organisation, const std::string& public_key) {
    v1::Statement keys = network.UnitKeys(organisation);
    keys.mutable_unit_keys()->mutable_keys(0)->set_public_key(public_key);
    Append(SignStatement(keys, organisation.identity));
  }
  void Publish(const TestOrganisation& organisation, const hpke::KeyPair& key) {
    AppendMember(organisation);
    AppendKeys(organisation, key.public_key);
  }
  void PublishPartner() { Publish(qso, partner_key); }
  void Watch() {
    EXPECT_TRUE(replica->Apply(log_.After(replica->NextRequest().after_revision())).ok());
  }

  // A header from the partner's unit to the own one.
  v1::Header Header(v1::Kind kind, const ReferralId& referral) {
    const int64_t now = MinuteOf(clock.Now());
    v1::Header header;
    header.set_message_id(MessageId::Generate(SystemRandom()).bytes());
    header.set_referral_id(referral.bytes());
    header.set_kind(kind);
    header.set_stage(v1::STAGE_NONE);
    header.set_sender_unit(qso.unit.bytes());
    header.set_recipient_unit(lin.unit.bytes());
    header.set_urgency(v1::URGENCY_U0);
    header.set_sent_minute(now);
    header.set_respond_by(now + 240);
    header.set_expires_at(now + 240);
    header.set_schema_version(kSchemaVersion);
    header.set_taxonomy_version(1);
    return header;
  }

  // Puts a message of the partner into the inbox.
  void Arrive(const v1::Header& header, const v1::Payload& payload) {
    const auto message = SealMessage(network.id, {TestKeyId(), own_key_.public_key}, header,
                                     payload, qso.identity, SystemRandom());
    ASSERT_TRUE(message.ok()) << message.status();
    Write([&](Transaction& t) {
      return t.AppendInbox(message->SerializeAsString(), clock.Now()).status();
    });
  }

  // A question about room in the own unit's service.
  v1::Payload Question() const {
    v1::Payload payload;
    v1::CapacityQuery& query = *payload.mutable_capacity_query();
    query.set_service_id(lin.service.bytes());
    query.set_service_code(101);
    query.set_quantity(1);
    query.set_unit(v1::CAPACITY_UNIT_BED);
    return payload;
  }

  // A token that `issuer` made for the other one.
  SignedToken Token(const TestOrganisation& issuer, const ReferralId& referral) const {
    v1::ConsentToken token;
    token.set_consent_ref(SystemRandom().Bytes(16));
    token.add_scope_fields(203);
    token.add_purposes(101);
    token.set_stage_ceiling(v1::STAGE_STARTED);
    token.mutable_valid_from()->set_seconds(absl::ToUnixSeconds(TestNow()));
    token.mutable_valid_until()->set_seconds(absl::ToUnixSeconds(TestNow() + absl::Hours(48)));
    token.set_onward_mode(v1::ONWARD_MODE_NONE);
    token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
    token.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
    token.set_readback_confirmed(true);
    token.set_transport_named(true);
    token.set_policy_pack("baseline");
    token.set_network_id(network.id.bytes());
    token.set_token_nonce(SystemRandom().Bytes(16));
    token.set_issuer_unit(issuer.unit.bytes());
    token.set_presenter_unit(issuer.unit.bytes());
    token.set_recipient_unit((issuer.unit == lin.unit ? qso : lin).unit.bytes());
    token.set_referral_id(referral.bytes());
    token.set_version(1);
    token.set_profile_version(1);
    token.set_revocation_lock(RevocationLock(SystemRandom().Bytes(32)));
    return MakeToken(token, issuer.identity).value();
  }

  // A referral between the two units in this state, with a token of its originating unit.
  local::v1::Referral Referral(NodeState state, bool originated) {
    local::v1::Referral referral;
    const ReferralId id = ReferralId::Generate(SystemRandom());
    referral.set_referral_id(id.bytes());
    referral.set_own_unit(lin.unit.bytes());
    referral.set_other_unit(qso.unit.bytes());
    referral.set_originated(originated);
    referral.set_urgency(v1::URGENCY_U0);
    referral.set_service_code(101);
    referral.set_service_id((originated ? qso : lin).service.bytes());
    referral.set_state(std::string(Name(state)));
    referral.set_state_since_ms(ToMillis(clock.Now()));
    AddToken(referral);
    return referral;
  }
  // Gives the referral one more token of its originating unit.
  void AddToken(local::v1::Referral& referral) {
    const SignedToken token =
        Token(referral.originated() ? lin : qso, *ReferralId::FromBytes(referral.referral_id()));
    local::v1::TokenEntry& entry = *referral.add_tokens();
    entry.set_token(token.bytes);
    entry.set_signature(token.signature);
    entry.set_hash(TokenHash(token.bytes));
    entry.set_valid_until_hour(absl::ToUnixSeconds(TestNow() + absl::Hours(48)) / 3600);
    Save(referral);
  }
  void Save(const local::v1::Referral& referral) {
    Write([&](Transaction& t) { return SaveReferral(context, t, referral); });
  }
  local::v1::Referral Load(const local::v1::Referral& referral) {
    return Read([&](const Reader& reader) {
      return LoadReferral(reader, *ReferralId::FromBytes(referral.referral_id()));
    });
  }

  // What the organisation says of room in its own service, as publication.h keeps it.
  void SayRoom(uint32_t available) {
    v1::Statement service = network.Service(lin);
    local::v1::OwnStatement said;
    *said.mutable_in_force() = SignStatement(service, lin.identity);
    v1::Statement named = network.Capacity(lin);
    local::v1::OwnStatement counted;
    *counted.mutable_room() = named.capacity();
    counted.mutable_room()->set_available(available);
    counted.mutable_room()->set_updated_minute(MinuteOf(clock.Now()));
    counted.mutable_room()->set_valid_until_minute(MinuteOf(clock.Now() + absl::Hours(12)));
    Write([&](Transaction& t) -> absl::Status {
      RETURN_IF_ERROR(WriteOwn(t, SubjectOf(service), said));
      return WriteOwn(t, SubjectOf(named), counted);
    });
  }

  int64_t Waiting() {
    return Read([](const Reader& reader) { return reader.CountInbox(); });
  }
  // How many messages are about to leave.
  int64_t Leaving() {
    return Read([](const Reader& reader) { return reader.CountOutbox(); }).waiting;
  }
  // The messages about to leave, in order, as the partner opens them.
  std::vector<Opened> OpenLeaving() {
    const auto items =
        Read([&](const Reader& reader) { return reader.NextOutbox(clock.Now(), {}, 64, 1 << 20); });
    const auto key_of = [&](const UnitId& unit) -> absl::StatusOr<VerifyingKey> {
      return (unit == lin.unit ? lin : qso).identity.verifying_key();
    };
    std::vector<OpeningKey> keys;
    keys.push_back({TestKeyId(), SecretBytes::CopyOf(partner_key.private_key.view())});
    std::vector<Opened> leaving;
    for (const OutboxItem& item : items) {
      v1::Submission submission;
      EXPECT_TRUE(submission.ParseFromString(item.submission));
      if (submission.has_registration()) continue;
      auto opened = OpenMessage(submission.message(), network.id, qso.unit, keys, key_of);
      EXPECT_TRUE(opened.ok()) << opened.status();
      if (opened.ok()) leaving.push_back(*std::move(opened));
    }
    return leaving;
  }
  std::vector<v1::Kind> KindsLeaving() {
    std::vector<v1::Kind> kinds;
    for (const Opened& message : OpenLeaving()) kinds.push_back(message.header.kind());
    return kinds;
  }

  FakeClock clock{TestNow()};
  TestDirectory network;
  TestOrganisation lin{"lin"};
  TestOrganisation qso{"qso"};
  const hpke::KeyPair partner_key = hpke::GenerateKeyPair(SystemRandom());

 private:
  VaultFolder folder_;
  HubLog log_;
  const hpke::KeyPair own_key_ = hpke::GenerateKeyPair(SystemRandom());

 public:
  const std::unique_ptr<Vault> vault = folder_.Open();
  const std::unique_ptr<Replica> replica =
      Replica::Open(network.id, network.registry.verifying_key(), *vault, clock).value();
  const CaseworkContext context = {
      .network = network.id,
      .organisation = lin.id,
      .identity_key = lin.identity,
      .vault = *vault,
      .catalogue = Catalogue::Default(),
      .clock = clock,
      .random = SystemRandom(),
      .delays = false,
      .directory = [this] { return replica->snapshot(); },
      .directory_up_to_date = [this] { return replica->up_to_date(); },
      .opening_keys = [this](const Reader&,
                             const UnitId&) -> absl::StatusOr<std::vector<OpeningKey>> {
        std::vector<OpeningKey> keys;
        keys.push_back({TestKeyId(), SecretBytes::CopyOf(own_key_.private_key.view())});
        return keys;
      },
      .check_peer_head = [](const v1::DirectoryHead&) {},
      .outbox_grew = [] {}};
};

}  // namespace waymark::node
