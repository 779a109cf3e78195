// Shows ThreadSanitizer the order that Debian's gRPC and Abseil keep, which it cannot see because
// they are not built for it. Preloaded into every process of the tsan preset's tests, never linked.
//
// gRPC hands work from thread to thread under Abseil's mutexes and through its queues. Each stands
// here under its own name: what is found first is called, tells ThreadSanitizer what it orders, and
// goes on to the library's. Without it, all that a reactor is given looks like a race. What is left
// is in tsan.supp. In a process without ThreadSanitizer this does nothing.
#include <dlfcn.h>

#include "absl/synchronization/mutex.h"

extern "C" {
__attribute__((weak)) void __tsan_acquire(void* address);
__attribute__((weak)) void __tsan_release(void* address);
}

namespace {

void After(void* address) {
  if (__tsan_acquire != nullptr) __tsan_acquire(address);
}

void Before(void* address) {
  if (__tsan_release != nullptr) __tsan_release(address);
}

// The library's function of this mangled name.
template <typename Function>
Function* Library(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace absl {
inline namespace debian3 {

void Mutex::Lock() {
  static auto* const library = Library<void(Mutex*)>("_ZN4absl7debian35Mutex4LockEv");
  library(this);
  After(this);
}

bool Mutex::TryLock() {
  static auto* const library = Library<bool(Mutex*)>("_ZN4absl7debian35Mutex7TryLockEv");
  const bool locked = library(this);
  if (locked) After(this);
  return locked;
}

void Mutex::Unlock() {
  static auto* const library = Library<void(Mutex*)>("_ZN4absl7debian35Mutex6UnlockEv");
  Before(this);
  library(this);
}

void Mutex::ReaderLock() {
  static auto* const library = Library<void(Mutex*)>("_ZN4absl7debian35Mutex10ReaderLockEv");
  library(this);
  After(this);
}

void Mutex::ReaderUnlock() {
  static auto* const library = Library<void(Mutex*)>("_ZN4absl7debian35Mutex12ReaderUnlockEv");
  Before(this);
  library(this);
}

void CondVar::Wait(Mutex* mu) {
  static auto* const library =
      Library<void(CondVar*, Mutex*)>("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
  Before(mu);
  library(this, mu);
  After(mu);
}

bool CondVar::WaitWithDeadline(Mutex* mu, Time deadline) {
  static auto* const library = Library<bool(CondVar*, Mutex*, Time)>(
      "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  Before(mu);
  const bool late = library(this, mu, deadline);
  After(mu);
  return late;
}

bool CondVar::WaitWithTimeout(Mutex* mu, Duration timeout) {
  static auto* const library = Library<bool(CondVar*, Mutex*, Duration)>(
      "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  Before(mu);
  const bool late = library(this, mu, timeout);
  After(mu);
  return late;
}

}  // namespace debian3
}  // namespace absl

// As gRPC 1.51 has it in a header that it does not install.
namespace grpc_core {

class MultiProducerSingleConsumerQueue {
 public:
  struct Node;
  bool Push(Node* node);
  Node* Pop();
  Node* PopAndCheckEnd(bool* empty);
};

bool MultiProducerSingleConsumerQueue::Push(Node* node) {
  static auto* const library = Library<bool(MultiProducerSingleConsumerQueue*, Node*)>(
      "_ZN9grpc_core32MultiProducerSingleConsumerQueue4PushEPNS0_4NodeE");
  Before(this);
  return library(this, node);
}

MultiProducerSingleConsumerQueue::Node* MultiProducerSingleConsumerQueue::Pop() {
  static auto* const library = Library<Node*(MultiProducerSingleConsumerQueue*)>(
      "_ZN9grpc_core32MultiProducerSingleConsumerQueue3PopEv");
  Node* const node = library(this);
  After(this);
  return node;
}

MultiProducerSingleConsumerQueue::Node* MultiProducerSingleConsumerQueue::PopAndCheckEnd(
    bool* empty) {
  static auto* const library = Library<Node*(MultiProducerSingleConsumerQueue*, bool*)>(
      "_ZN9grpc_core32MultiProducerSingleConsumerQueue14PopAndCheckEndEPb");
  Node* const node = library(this, empty);
  After(this);
  return node;
}

}  // namespace grpc_core
