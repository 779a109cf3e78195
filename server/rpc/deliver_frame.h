// Frames of deliveries, put together from messages as they are stored.
//
// A stored message is what a Delivery holds on the wire, byte by byte: to parse it, copy it and
// write it again would be most of what a delivery costs. Thread-safe.
#pragma once

#include <span>

#include "grpcpp/support/byte_buffer.h"
#include "server/session/dispatcher.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::hub {

// Returns a serialised ConnectResponse whose `deliver` has these messages, at least one, and all
// that `rest` has, which holds none.
grpc::ByteBuffer DeliverFrame(std::span<const OutgoingDelivery> deliveries,
                              const v1::Deliver& rest);

}  // namespace waymark::hub
