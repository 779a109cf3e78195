#include "tests/support/wire_stream.h"

#include <utility>

#include "base/identity/spiffe.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/status_mapping.h"
#include "grpcpp/create_channel.h"

namespace waymark::testing {
namespace {

constexpr absl::Duration kEndLimit = absl::Seconds(20);

}  // namespace

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, const TlsFiles& files,
                                         const NetworkId& network) {
  return grpc::CreateCustomChannel(
      address, MutualTlsChannelCredentials(files, SpiffeId::Hub(network)), ChannelOptions());
}

WireStream::WireStream(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::ExchangeService::NewStub(channel)) {
  stream_ = stub_->Connect(&context_);
  reader_ = std::thread([this] { ReadAll(); });
}

WireStream::~WireStream() {
  context_.TryCancel();
  reader_.join();
  if (!finished_) stream_->Finish();
}

bool WireStream::Send(const v1::ConnectRequest& frame) { return stream_->Write(frame); }

void WireStream::ReadAll() {
  v1::ConnectResponse frame;
  while (stream_->Read(&frame)) {
    MutexLock lock(mu_);
    frames_.push_back(std::move(frame));
    changed_.SignalAll();
  }
  MutexLock lock(mu_);
  ended_ = true;
  changed_.SignalAll();
}

std::optional<v1::ConnectResponse> WireStream::Next(absl::Duration within) {
  const absl::Time deadline = absl::Now() + within;
  MutexLock lock(mu_);
  while (frames_.empty() && !ended_ && absl::Now() < deadline) {
    changed_.WaitFor(mu_, deadline - absl::Now());
  }
  if (frames_.empty()) return std::nullopt;
  v1::ConnectResponse frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

absl::Status WireStream::End() {
  {
    const absl::Time deadline = absl::Now() + kEndLimit;
    MutexLock lock(mu_);
    while (!ended_ && absl::Now() < deadline) changed_.WaitFor(mu_, deadline - absl::Now());
    if (!ended_) context_.TryCancel();
  }
  finished_ = true;
  return FromGrpc(stream_->Finish());
}

v1::ConnectRequest HelloFrame() {
  v1::ConnectRequest frame;
  v1::Hello& hello = *frame.mutable_hello();
  hello.set_protocol_version(1);
  hello.set_window_messages(1024);
  hello.set_window_bytes(4 * 1024 * 1024);
  return frame;
}

}  // namespace waymark::testing
