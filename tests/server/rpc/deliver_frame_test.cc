#include "server/rpc/deliver_frame.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
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

TEST(DeliverFrameTest, IsWhatProtocolBuffersWouldWrite) {
  std::vector<OutgoingDelivery> deliveries;
  v1::ConnectResponse expected;
  // Sequences and sizes on both sides of where a varint takes a byte more.
  constexpr uint64_t kSequences[] = {1, 127, 128, 1 << 21, std::numeric_limits<uint64_t>::max()};
  constexpr size_t kSizes[] = {0, 90, 128, 2048, 131072};
  for (size_t i = 0; i < std::size(kSequences); ++i) {
    const v1::Message message = MessageOf(kSizes[i]);
    deliveries.push_back({kSequences[i], message.SerializeAsString()});
    v1::Delivery& delivery = *expected.mutable_deliver()->add_deliveries();
    delivery.set_sequence(kSequences[i]);
    *delivery.mutable_message() = message;
    grpc::Slice slice;
    ASSERT_TRUE(DeliverFrame(deliveries).DumpToSingleSlice(&slice).ok());
    EXPECT_EQ(std::string(slice.begin(), slice.end()), expected.SerializeAsString());
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
