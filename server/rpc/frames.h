// Bytes to messages and back, at the rim: every request is taken as raw bytes, so that one that
// does not parse gets our reason and a test can record what the hub was sent.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/status/status.h"
#include "google/protobuf/message_lite.h"
#include "grpc/slice.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace waymark::hub {

// Called with the bytes of every frame and request after TLS, from any thread. Empty in production.
using FrameRecorder = std::function<void(std::string_view)>;

// REASON_MALFORMED: the bytes are not such a message.
inline absl::Status ParseFrame(const grpc::ByteBuffer& buffer, const FrameRecorder& recorder,
                               google::protobuf::MessageLite& message) {
  grpc::ByteBuffer copy(buffer);
  if (recorder) {
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (copy.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) {
        bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
    }
    recorder(bytes);
  }
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok() || !message.ParseFromZeroCopyStream(&reader)) {
    return Error(v1::REASON_MALFORMED, "the request does not parse");
  }
  return absl::OkStatus();
}

inline grpc::ByteBuffer SerializeFrame(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc_slice bytes = grpc_slice_malloc(size);
  message.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(bytes));
  const grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace waymark::hub
