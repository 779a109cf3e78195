// Limits and keepalive that every channel and server of ours shares.
//
// The client pings an idle connection every 30 seconds; the server allows a ping every 10, so that
// a ping that the network delays is never taken for abuse.
#pragma once

#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

namespace waymark {

// A frame carries at most 1 MiB of messages; twice that leaves room for its framing.
inline constexpr int kMaxMessageBytes = 2 * 1024 * 1024;

// What a node may answer its own staff on its local socket: lists of a directory of 20,000 services
// and more are some megabytes. What is asked stays within kMaxMessageBytes.
inline constexpr int kMaxLocalAnswerBytes = 64 * 1024 * 1024;

// Returns the arguments for a channel to another machine.
grpc::ChannelArguments ChannelOptions();

// Applies the same limits to a server under construction.
void ApplyServerOptions(grpc::ServerBuilder& builder);

}  // namespace waymark
