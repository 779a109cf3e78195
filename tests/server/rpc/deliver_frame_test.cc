#include "server/rpc/deliver_frame.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "server/rpc/frames.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::hub {
namespace {

v1::Message MessageOf(size_t sealed) {
  v1::Message message;
  message.set_header("a header");
  message.set_sealed(std::string(sealed, 's'));
  message.set_signature("a signature");
  return message;
}

std::string BytesOf(const std::vector<OutgoingDelivery>& deliveries, const v1::Deliver& rest) {
  grpc::Slice slice;
  EXPECT_TRUE(DeliverFrame(deliveries, rest).DumpToSingleSlice(&slice).ok());
  return {slice.begin(), slice.end()};
}

TEST(DeliverFrameTest, IsWhatProtocolBuffersWouldWrite) {
  std::vector<OutgoingDelivery> deliveries;
  v1::ConnectResponse expected;
  v1::Deliver rest;
  v1::Outcome& outcome = *rest.add_outcomes();
  outcome.set_item_id(std::string(16, 'i'));
  outcome.set_reason(v1::REASON_TOKEN_UNKNOWN);
  rest.add_outcomes()->set_item_id(std::string(32, 'h'));
  // Sequences and sizes on both sides of where a varint takes a byte more.
  constexpr uint64_t kSequences[] = {1, 127, 128, 1 << 21, std::numeric_limits<uint64_t>::max()};
  constexpr size_t kSizes[] = {0, 90, 128, 2048, 131072};
  for (size_t i = 0; i < std::size(kSequences); ++i) {
    const v1::Message message = MessageOf(kSizes[i]);
    deliveries.push_back({kSequences[i], message.SerializeAsString()});
    v1::Delivery& delivery = *expected.mutable_deliver()->add_deliveries();
    delivery.set_sequence(kSequences[i]);
    *delivery.mutable_message() = message;
    EXPECT_EQ(BytesOf(deliveries, {}), expected.SerializeAsString());
    v1::ConnectResponse with_rest = expected;
    *with_rest.mutable_deliver()->mutable_outcomes() = rest.outcomes();
    EXPECT_EQ(BytesOf(deliveries, rest), with_rest.SerializeAsString());
  }
}

TEST(SerializeFrameTest, IsTheMessage) {
  v1::ConnectResponse frame;
  frame.mutable_heartbeat()->set_nonce(7);
  v1::ConnectResponse read;
  ASSERT_TRUE(ParseFrame(SerializeFrame(frame), {}, read).ok());
  EXPECT_EQ(read.heartbeat().nonce(), 7);
}

}  // namespace
}  // namespace waymark::hub
