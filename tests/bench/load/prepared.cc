#include "tests/bench/load/prepared.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "base/envelope/header.h"
#include "base/envelope/token.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "tests/support/room_token.h"

namespace waymark::bench {
namespace {

constexpr size_t kMixRound = 10;

constexpr std::array kWhole = {v1::KIND_INQUIRY,  v1::KIND_RECEIPT, v1::KIND_OFFER, v1::KIND_ACCEPT,
                               v1::KIND_DISCLOSE, v1::KIND_START,   v1::KIND_CLOSE};
constexpr std::array kScheduled = {v1::KIND_INQUIRY, v1::KIND_RECEIPT,  v1::KIND_OFFER,
                                   v1::KIND_ACCEPT,  v1::KIND_DISCLOSE, v1::KIND_SCHEDULE,
                                   v1::KIND_START,   v1::KIND_PROGRESS, v1::KIND_CLOSE};
constexpr std::array kDeclined = {v1::KIND_INQUIRY, v1::KIND_RECEIPT, v1::KIND_DECLINE};
constexpr std::array kNotTakenUp = {v1::KIND_INQUIRY, v1::KIND_RECEIPT, v1::KIND_OFFER,
                                    v1::KIND_CANCEL};

template <size_t kSize>
std::vector<v1::Kind> List(const std::array<v1::Kind, kSize>& kinds) {
  return {kinds.begin(), kinds.end()};
}

v1::Stage StageOf(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_ACCEPT:
    case v1::KIND_DISCLOSE:
    case v1::KIND_SCHEDULE:
      return v1::STAGE_ACCEPTED;
    case v1::KIND_START:
    case v1::KIND_PROGRESS:
    case v1::KIND_CLOSE:
      return v1::STAGE_STARTED;
    default:
      return v1::STAGE_INQUIRY;
  }
}

bool FromOrigin(v1::Kind kind) {
  return kind == v1::KIND_INQUIRY || kind == v1::KIND_ACCEPT || kind == v1::KIND_DISCLOSE ||
         kind == v1::KIND_CANCEL;
}

v1::Urgency UrgencyOf(Mix mix, size_t index) {
  if (mix != Mix::kVaried) return v1::URGENCY_U1;
  constexpr std::array kUrgencies = {v1::URGENCY_U2, v1::URGENCY_U3, v1::URGENCY_U2,
                                     v1::URGENCY_U1, v1::URGENCY_U0, v1::URGENCY_U2,
                                     v1::URGENCY_U3, v1::URGENCY_U1, v1::URGENCY_U2};
  return kUrgencies[index % kUrgencies.size()];
}

// How much the sections hold besides what every message has, in bytes.
size_t ExtraBytes(Mix mix, v1::Kind kind, size_t index) {
  if (mix != Mix::kVaried) return 0;
  constexpr size_t kLong = 3000;
  constexpr size_t kVeryLong = 12'000;
  if (kind == v1::KIND_INQUIRY) return index % 7 == 0 ? kLong : 0;
  if (kind != v1::KIND_DISCLOSE) return 0;
  constexpr std::array kSizes = {size_t{0}, kLong, size_t{0}, kVeryLong, kLong};
  return kSizes[index % kSizes.size()];
}

// One referral in the making.
class Maker {
 public:
  // Seals and signs unless there is a `box`.
  Maker(const NetworkId& network, const Party& origin, const Party& provider, Mix mix, size_t index,
        absl::Time now, const Box* box = nullptr)
      : network_(network),
        origin_(origin),
        provider_(provider),
        mix_(mix),
        index_(index),
        now_(now),
        box_(box),
        id_(ReferralId::Generate(SystemRandom())) {}

  absl::StatusOr<PreparedReferral> Make() {
    v1::ConsentToken token = testing::RoomToken({.network = network_,
                                                 .origin = origin_.unit,
                                                 .recipient = provider_.unit,
                                                 .referral = id_.bytes(),
                                                 .from = FloorHour(now_),
                                                 .until = FloorHour(now_) + absl::Hours(24 * 30)});
    v1::Submission registration;
    *registration.mutable_registration() = testing::RegistrationOf(token);
    token_valid_until_ = ValidUntilHour(token);
    if (box_ == nullptr) {
      ASSIGN_OR_RETURN(token_, MakeToken(token, *origin_.identity_key));
    } else {
      token_.bytes = token.SerializeAsString();
    }
    registration.mutable_registration()->set_token_hash(TokenHash(token_.bytes));
    PreparedReferral referral;
    referral.origin = origin_.member;
    referral.registration = ItemBytes(registration);
    referral.token_hash = registration.registration().token_hash();
    for (const v1::Kind kind : KindsOf(mix_, index_)) {
      ASSIGN_OR_RETURN(PreparedMessage message, MakeMessage(kind, referral.token_hash));
      referral.messages.push_back(std::move(message));
    }
    return referral;
  }

 private:
  absl::StatusOr<PreparedMessage> MakeMessage(v1::Kind kind, const std::string& token_hash) {
    const Party& sender = FromOrigin(kind) ? origin_ : provider_;
    const Party& recipient = FromOrigin(kind) ? provider_ : origin_;
    PreparedMessage prepared;
    prepared.id = MessageId::Generate(SystemRandom());
    prepared.kind = kind;
    prepared.sender = sender.member;
    v1::Submission item;
    v1::Header header = HeaderOf(prepared.id, kind, sender, recipient);
    if (box_ == nullptr) {
      ASSIGN_OR_RETURN(*item.mutable_message(),
                       SealMessage(network_, recipient.sealing_key, header, PayloadOf(kind),
                                   *sender.identity_key, SystemRandom()));
    } else {
      header.set_token_hash(token_hash);
      header.set_token_valid_until(token_valid_until_);
      header.set_size_bucket(box_->bucket);
      RETURN_IF_ERROR(CheckHeaderShape(header));
      item.mutable_message()->set_header(header.SerializeAsString());
      item.mutable_message()->set_sealed(box_->sealed);
      item.mutable_message()->set_signature(box_->signature);
    }
    prepared.item = ItemBytes(item);
    return prepared;
  }

  v1::Header HeaderOf(const MessageId& id, v1::Kind kind, const Party& sender,
                      const Party& recipient) const {
    // Within the life of a message of U0, and long enough for any run.
    constexpr int64_t kLifeMinutes = 240;
    const int64_t minute = absl::ToUnixSeconds(now_) / 60;
    v1::Header header;
    header.set_message_id(id.bytes());
    header.set_referral_id(id_.bytes());
    header.set_kind(kind);
    header.set_stage(StageOf(kind));
    header.set_sender_unit(sender.unit.bytes());
    header.set_recipient_unit(recipient.unit.bytes());
    header.set_urgency(UrgencyOf(mix_, index_));
    header.set_sent_minute(minute);
    header.set_respond_by(minute + kLifeMinutes);
    header.set_expires_at(minute + kLifeMinutes);
    header.set_schema_version(kSchemaVersion);
    header.set_taxonomy_version(1);
    return header;
  }

  v1::Payload PayloadOf(v1::Kind kind) const {
    v1::Payload payload;
    payload.set_token(token_.bytes);
    payload.set_token_signature(token_.signature);
    payload.mutable_sections()->mutable_need()->set_service_code(testing::kRoom);
    // What fills a larger box: the hub sees its size alone.
    const size_t extra = ExtraBytes(mix_, kind, index_);
    if (extra > 0) {
      payload.mutable_sections()->mutable_logi()->set_meeting_point(std::string(extra, '.'));
    }
    return payload;
  }

  const NetworkId& network_;
  const Party& origin_;
  const Party& provider_;
  const Mix mix_;
  const size_t index_;
  const absl::Time now_;
  const Box* const box_;
  const ReferralId id_;
  SignedToken token_;
  int64_t token_valid_until_ = 0;
};

// Which two units the referral `index` is between: every unit is an origin in its turn, and its
// provider is one of another member, another one in each round.
std::pair<const Party*, const Party*> PartiesOf(const std::vector<Party>& parties, size_t index) {
  const Party& origin = parties[index % parties.size()];
  size_t provider = index % parties.size() + index / parties.size() + 1;
  while (parties[provider % parties.size()].member == origin.member) ++provider;
  return {&origin, &parties[provider % parties.size()]};
}

// Makes so many referrals, each with `make` of its index, on every processor.
template <typename Make>
absl::StatusOr<std::vector<PreparedReferral>> MakeAll(size_t count, Make make) {
  std::vector<PreparedReferral> referrals(count);
  std::vector<absl::Status> failures(std::max(1U, std::thread::hardware_concurrency()));
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  threads.reserve(failures.size());
  for (absl::Status& failure : failures) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) {
        auto made = make(i);
        if (!made.ok()) {
          failure = made.status();
          return;
        }
        referrals[i] = *std::move(made);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& failure : failures) RETURN_IF_ERROR(failure);
  return referrals;
}

}  // namespace

std::string ItemBytes(const v1::Submission& item) {
  using google::protobuf::internal::WireFormatLite;
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.WriteTag(WireFormatLite::MakeTag(v1::Submit::kItemsFieldNumber,
                                       WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  out.WriteVarint32(static_cast<uint32_t>(item.ByteSizeLong()));
  item.SerializeWithCachedSizes(&out);
  out.Trim();
  return bytes;
}

std::optional<MessageId> IdInHeader(std::string_view header) {
  constexpr size_t kTagBytes = 2;
  if (header.size() < kTagBytes + MessageId::kSize) return std::nullopt;
  return MessageId::FromBytes(header.substr(kTagBytes, MessageId::kSize));
}

std::vector<v1::Kind> KindsOf(Mix mix, size_t index) {
  if (mix == Mix::kReferral) return List(kWhole);
  if (mix == Mix::kInquiries) return {v1::KIND_INQUIRY};
  const size_t place = index % kMixRound;
  if (place < 5) return List(kWhole);
  if (place < 6) return List(kScheduled);
  return place < 9 ? List(kDeclined) : List(kNotTakenUp);
}

absl::StatusOr<std::vector<PreparedReferral>> Prepare(const NetworkId& network,
                                                      const std::vector<Party>& parties,
                                                      size_t messages, Mix mix, absl::Time now) {
  size_t count = 0;
  for (size_t planned = 0; planned < messages; ++count) planned += KindsOf(mix, count).size();
  return MakeAll(count, [&](size_t index) {
    const auto [origin, provider] = PartiesOf(parties, index);
    return Maker(network, *origin, *provider, mix, index, now).Make();
  });
}

absl::StatusOr<std::vector<PreparedReferral>> PrepareInquiries(const NetworkId& network,
                                                               const std::vector<Party>& parties,
                                                               size_t before, size_t count,
                                                               absl::Time now) {
  const Party& provider = parties.front();
  std::vector<const Party*> origins;
  for (const Party& party : parties) {
    if (party.member != provider.member) origins.push_back(&party);
  }
  return MakeAll(count, [&](size_t index) {
    const size_t turn = before + index;
    return Maker(network, *origins[turn % origins.size()], provider, Mix::kInquiries, turn, now)
        .Make();
  });
}

absl::StatusOr<Box> SealBox(const NetworkId& network, const std::vector<Party>& parties,
                            absl::Time now) {
  ASSIGN_OR_RETURN(const auto referrals, Prepare(network, parties, 1, Mix::kReferral, now));
  v1::Submit frame;
  if (!frame.ParseFromString(referrals.front().messages.front().item)) {
    return Error(v1::REASON_INTERNAL, "an item that was prepared does not parse");
  }
  v1::Message& message = *frame.mutable_items(0)->mutable_message();
  ASSIGN_OR_RETURN(const v1::Header header, ParseHeader(message.header()));
  return Box{.bucket = header.size_bucket(),
             .sealed = std::move(*message.mutable_sealed()),
             .signature = std::move(*message.mutable_signature())};
}

absl::StatusOr<PreparedReferral> PrepareQuickly(const NetworkId& network,
                                                const std::vector<Party>& parties, size_t index,
                                                const Box& box, absl::Time now) {
  const auto [origin, provider] = PartiesOf(parties, index);
  return Maker(network, *origin, *provider, Mix::kReferral, index, now, &box).Make();
}

}  // namespace waymark::bench
