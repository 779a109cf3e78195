#include "client/link/stream.h"

#include <utility>

namespace waymark::node {

void EventQueue::Put(StreamEvent event) {
  MutexLock lock(mu_);
  events_.push_back(std::move(event));
  changed_.Signal();
}

void EventQueue::Nudge() {
  MutexLock lock(mu_);
  nudged_ = true;
  changed_.Signal();
}

std::optional<StreamEvent> EventQueue::Wait(absl::Duration timeout) {
  MutexLock lock(mu_);
  while (events_.empty() && !nudged_) {
    if (!changed_.WaitFor(mu_, timeout)) break;
  }
  nudged_ = false;
  if (events_.empty()) return std::nullopt;
  StreamEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::shared_ptr<Stream> Stream::Start(v1::ExchangeService::StubInterface& stub,
                                      std::shared_ptr<EventQueue> queue) {
  std::shared_ptr<Stream> stream(new Stream(std::move(queue)));
  stream->self_ = stream;
  stub.async()->Connect(&stream->context_, stream.get());
  // Held until Finish, because reads and writes start outside reactions.
  stream->AddHold();
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

void Stream::ReadNext() { StartRead(&response_); }

void Stream::Write(v1::ConnectRequest frame, bool last) {
  request_ = std::move(frame);
  if (last) {
    StartWriteLast(&request_, grpc::WriteOptions());
  } else {
    StartWrite(&request_);
  }
}

void Stream::Finish() {
  if (!std::exchange(finished_, true)) RemoveHold();
}

void Stream::Cancel() { context_.TryCancel(); }

void Stream::OnReadDone(bool ok) {
  if (ok) {
    Put({StreamEvent::Kind::kFrame, std::move(response_), {}, nullptr});
  } else {
    Put({StreamEvent::Kind::kReadFailed, {}, {}, nullptr});
  }
}

void Stream::OnWriteDone(bool ok) {
  Put({ok ? StreamEvent::Kind::kWritten : StreamEvent::Kind::kWriteFailed, {}, {}, nullptr});
}

void Stream::OnDone(const grpc::Status& status) {
  Put({StreamEvent::Kind::kDone, {}, status, std::move(self_)});
}

void Stream::Put(StreamEvent event) noexcept {
  // With the last event *this may end before the queue has returned.
  const std::shared_ptr<EventQueue> queue = queue_;
  // Nothing but the lack of memory throws here; ending the process then is better than a call that
  // hangs for ever because gRPC swallowed the exception.
  queue->Put(std::move(event));
}

}  // namespace waymark::node
