#include "server/rpc/deliver_frame.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpc/slice.h"
#include "grpcpp/support/slice.h"

namespace waymark::hub {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// Every field of these frames has a number below 16, and so a tag of one byte.
constexpr size_t kTagBytes = 1;

constexpr uint32_t Tag(int field, WireFormatLite::WireType type) {
  return WireFormatLite::MakeTag(field, type);
}

constexpr auto kBytes = WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
constexpr uint32_t kDeliver = Tag(v1::ConnectResponse::kDeliverFieldNumber, kBytes);
constexpr uint32_t kDelivery = Tag(v1::Deliver::kDeliveriesFieldNumber, kBytes);
constexpr uint32_t kSequence =
    Tag(v1::Delivery::kSequenceFieldNumber, WireFormatLite::WIRETYPE_VARINT);
constexpr uint32_t kMessage = Tag(v1::Delivery::kMessageFieldNumber, kBytes);

size_t VarintBytes(uint64_t value) { return CodedOutputStream::VarintSize64(value); }

size_t BytesOf(const OutgoingDelivery& delivery) {
  return kTagBytes + VarintBytes(delivery.sequence) + kTagBytes +
         VarintBytes(delivery.message.size()) + delivery.message.size();
}

uint8_t* WriteHead(uint32_t tag, size_t size, uint8_t* to) {
  to = CodedOutputStream::WriteTagToArray(tag, to);
  return CodedOutputStream::WriteVarint64ToArray(size, to);
}

}  // namespace

grpc::ByteBuffer DeliverFrame(std::span<const OutgoingDelivery> deliveries,
                              const v1::Deliver& rest) {
  size_t deliver = rest.ByteSizeLong();
  for (const OutgoingDelivery& delivery : deliveries) {
    const size_t bytes = BytesOf(delivery);
    deliver += kTagBytes + VarintBytes(bytes) + bytes;
  }
  grpc_slice buffer = grpc_slice_malloc(kTagBytes + VarintBytes(deliver) + deliver);
  uint8_t* to = WriteHead(kDeliver, deliver, GRPC_SLICE_START_PTR(buffer));
  for (const OutgoingDelivery& delivery : deliveries) {
    to = WriteHead(kDelivery, BytesOf(delivery), to);
    to = WriteHead(kSequence, delivery.sequence, to);
    to = WriteHead(kMessage, delivery.message.size(), to);
    to = CodedOutputStream::WriteRawToArray(delivery.message.data(),
                                            static_cast<int>(delivery.message.size()), to);
  }
  rest.SerializeWithCachedSizesToArray(to);
  const grpc::Slice slice(buffer, grpc::Slice::STEAL_REF);
  return {&slice, 1};
}

}  // namespace waymark::hub
