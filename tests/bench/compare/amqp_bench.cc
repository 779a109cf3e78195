// The same load on RabbitMQ: persistent messages of 2 KiB into durable queues over TLS, publisher
// confirms, manual acknowledgements. For compare.mjs, which starts the broker.
//
// Each pair is a publisher and a consumer with connections of their own. A publisher has so many
// messages unconfirmed at any time, all pairs together; whether they have been delivered it does
// not wait for, which is in the broker's favour. Consumers acknowledge together what came together.
#include <amqp.h>
#include <amqp_ssl_socket.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/process_meter.h"
#include "tests/support/pace.h"
#include "tests/support/poll.h"

namespace waymark::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr size_t kBodyBytes = 2048;
constexpr uint16_t kPrefetch = 512;
constexpr int kFrameMax = 131072;

struct Options {
  int port = 0;
  int pid = 0;
  // A folder with ca.pem, client.pem and client.key.
  std::string tls;
  std::string queue = "quorum";
  int in_flight = 64;
  int pairs = 1;
  double seconds = 5;
  double warmup = 1;
};

int64_t Nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Ends the program: a comparison with a broker that does not do its part says nothing.
[[noreturn]] void Give(const std::string& what) {
  std::cerr << "amqp_bench: " << what << "\n";
  std::exit(1);
}

class Connection {
 public:
  explicit Connection(const Options& options) : state_(amqp_new_connection()) {
    amqp_socket_t* socket = amqp_ssl_socket_new(state_);
    Expect(amqp_ssl_socket_set_cacert(socket, (options.tls + "/ca.pem").c_str()), "CA");
    Expect(amqp_ssl_socket_set_key(socket, (options.tls + "/client.pem").c_str(),
                                   (options.tls + "/client.key").c_str()),
           "certificate");
    Expect(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST), "TLS");
    Expect(amqp_socket_open(socket, "localhost", options.port), "connect");
    Check(amqp_login(state_, "/", 0, kFrameMax, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
          "login");
    amqp_channel_open(state_, kChannel);
    Check("channel");
  }
  ~Connection() { amqp_destroy_connection(state_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  amqp_connection_state_t get() const { return state_; }
  void Check(const char* what) { Check(amqp_get_rpc_reply(state_), what); }
  static void Check(const amqp_rpc_reply_t& reply, const char* what) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) Give(std::string(what) + " failed");
  }
  static void Expect(int status, const char* what) {
    if (status != AMQP_STATUS_OK) Give(std::string(what) + ": " + amqp_error_string2(status));
  }

 private:
  const amqp_connection_state_t state_;
};

// What all pairs share.
struct Moments {
  std::atomic<int64_t> from = INT64_MAX;
  std::atomic<int64_t> to = INT64_MAX;
  std::atomic<bool> stop_publishing = false;
  std::atomic<bool> stop_consuming = false;
  std::atomic<uint64_t> confirmed = 0;
  std::atomic<uint64_t> delivered = 0;

  bool Counts(int64_t sent) const { return sent >= from && sent < to; }
};

class Publisher {
 public:
  Publisher(const Options& options, const std::string& queue, int window, Moments& moments)
      : connection_(options), queue_(queue), window_(window), moments_(moments) {
    amqp_table_entry_t entry = {};
    entry.key = amqp_cstring_bytes("x-queue-type");
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(options.queue.c_str());
    const amqp_table_t arguments = {1, &entry};
    amqp_queue_declare(connection_.get(), kChannel, Name(), 0, 1, 0, 0, arguments);
    connection_.Check("queue");
    amqp_confirm_select(connection_.get(), kChannel);
    connection_.Check("confirms");
  }

  void Run() {
    while (true) {
      while (!moments_.stop_publishing && sent_.size() - done_ < static_cast<size_t>(window_)) {
        Publish();
      }
      if (sent_.size() == done_) break;
      Await();
    }
  }
  void DeleteQueue() { amqp_queue_delete(connection_.get(), kChannel, Name(), 0, 0); }

  const Histogram& confirmed() const { return confirmed_; }

 private:
  amqp_bytes_t Name() const { return amqp_cstring_bytes(queue_.c_str()); }

  void Publish() {
    amqp_basic_properties_t properties = {};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = 2;
    const int64_t now = Nanos();
    std::memcpy(body_.data(), &now, sizeof(now));
    sent_.push_back(now);
    Connection::Expect(amqp_basic_publish(connection_.get(), kChannel, amqp_empty_bytes, Name(), 0,
                                          0, &properties, {body_.size(), body_.data()}),
                       "publish");
  }

  void Await() {
    amqp_frame_t frame;
    amqp_maybe_release_buffers(connection_.get());
    Connection::Expect(amqp_simple_wait_frame(connection_.get(), &frame), "confirm");
    if (frame.frame_type != AMQP_FRAME_METHOD) return;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) Give("a message was not confirmed");
    const auto* ack = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
    const int64_t now = Nanos();
    for (uint64_t tag = ack->multiple != 0 ? first_ : ack->delivery_tag; tag <= ack->delivery_tag;
         ++tag) {
      int64_t& sent = sent_[tag - first_];
      if (sent == 0) continue;
      if (moments_.Counts(sent)) confirmed_.Record(static_cast<uint64_t>(now - sent));
      sent = 0;
      ++done_;
      ++moments_.confirmed;
    }
    while (!sent_.empty() && sent_.front() == 0) {
      sent_.pop_front();
      --done_;
      ++first_;
    }
  }

  Connection connection_;
  const std::string queue_;
  const int window_;
  Moments& moments_;
  std::string body_ = std::string(kBodyBytes, '.');
  // When each was sent that is not confirmed, by its tag from `first_` on; 0 for one that is.
  std::deque<int64_t> sent_;
  size_t done_ = 0;
  uint64_t first_ = 1;
  Histogram confirmed_;
};

class Consumer {
 public:
  Consumer(const Options& options, const std::string& queue, Moments& moments)
      : connection_(options), moments_(moments) {
    amqp_basic_qos(connection_.get(), kChannel, 0, kPrefetch, 0);
    connection_.Check("prefetch");
    amqp_basic_consume(connection_.get(), kChannel, amqp_cstring_bytes(queue.c_str()),
                       amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    connection_.Check("consume");
  }

  void Run() {
    while (!moments_.stop_consuming) {
      amqp_envelope_t envelope;
      timeval wait = {0, 100'000};
      amqp_maybe_release_buffers(connection_.get());
      const amqp_rpc_reply_t reply = amqp_consume_message(connection_.get(), &envelope, &wait, 0);
      if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        if (reply.library_error == AMQP_STATUS_TIMEOUT) continue;
        return;
      }
      int64_t sent = 0;
      std::memcpy(&sent, envelope.message.body.bytes, sizeof(sent));
      if (moments_.Counts(sent)) delivered_.Record(static_cast<uint64_t>(Nanos() - sent));
      ++moments_.delivered;
      const uint64_t tag = envelope.delivery_tag;
      amqp_destroy_envelope(&envelope);
      // More of what came in the same moment follows.
      if (amqp_data_in_buffer(connection_.get()) != 0 && ++unacked_ < kPrefetch / 4) continue;
      Connection::Expect(amqp_basic_ack(connection_.get(), kChannel, tag, 1), "ack");
      unacked_ = 0;
    }
  }

  const Histogram& delivered() const { return delivered_; }

 private:
  Connection connection_;
  Moments& moments_;
  int unacked_ = 0;
  Histogram delivered_;
};

std::string LatencyJson(const Histogram& histogram) {
  return absl::StrFormat("{\"count\":%d,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"p999\":%.4f}",
                         histogram.count(), histogram.MillisAt(0.5), histogram.MillisAt(0.9),
                         histogram.MillisAt(0.99), histogram.MillisAt(0.999));
}

int Measure(const Options& options) {
  Moments moments;
  std::vector<std::unique_ptr<Publisher>> publishers;
  std::vector<std::unique_ptr<Consumer>> consumers;
  for (int i = 0; i < options.pairs; ++i) {
    const std::string queue =
        absl::StrFormat("bench.%s.%d.%d", options.queue, static_cast<int>(Nanos() % 100'000), i);
    const int window = options.in_flight / options.pairs;
    publishers.push_back(std::make_unique<Publisher>(options, queue, window, moments));
    consumers.push_back(std::make_unique<Consumer>(options, queue, moments));
  }
  std::vector<std::thread> threads;
  threads.reserve(consumers.size());
  for (auto& consumer : consumers) threads.emplace_back([&] { consumer->Run(); });
  std::vector<std::thread> publishing;
  publishing.reserve(publishers.size());
  for (auto& publisher : publishers) publishing.emplace_back([&] { publisher->Run(); });

  testing::PaceFor(absl::Seconds(options.warmup));
  const auto before = LookAt(options.pid);
  if (!before.ok()) Give(std::string(before.status().message()));
  const uint64_t done = moments.confirmed;
  moments.from = Nanos();
  testing::PaceFor(absl::Seconds(options.seconds));
  moments.to = Nanos();
  const auto after = LookAt(options.pid);
  if (!after.ok()) Give(std::string(after.status().message()));
  const uint64_t messages = moments.confirmed - done;
  moments.stop_publishing = true;
  for (std::thread& thread : publishing) thread.join();
  if (!Eventually([&] { return moments.delivered >= moments.confirmed; })) {
    Give("not everything was delivered within a minute");
  }
  moments.stop_consuming = true;
  for (std::thread& thread : threads) thread.join();
  for (auto& publisher : publishers) publisher->DeleteQueue();

  Histogram confirmed;
  Histogram delivered;
  for (const auto& publisher : publishers) confirmed.Merge(publisher->confirmed());
  for (const auto& consumer : consumers) delivered.Merge(consumer->delivered());
  const double seconds = static_cast<double>(moments.to - moments.from) / 1e9;
  const double thousands = static_cast<double>(messages) / 1000;
  std::cout << absl::StrFormat(
      "{\"name\":\"rabbitmq %s, %d in flight\",\"seconds\":%.3f,\"messages\":%d,"
      "\"messages_per_second\":%.1f,\"confirmed_ms\":%s,\"delivered_ms\":%s,"
      "\"hub_cpu_seconds_per_1000\":%.5f}\n",
      options.queue, options.in_flight, seconds, messages, static_cast<double>(messages) / seconds,
      LatencyJson(confirmed), LatencyJson(delivered),
      (after->cpu_seconds - before->cpu_seconds) / thousands);
  return 0;
}

}  // namespace
}  // namespace waymark::bench

int main(int argc, char** argv) {
  waymark::bench::Options options;
  CLI::App app("The load of waymark-bench on a RabbitMQ that runs.", "amqp_bench");
  app.add_option("--port", options.port, "Where it listens for TLS.")->required();
  app.add_option("--pid", options.pid, "Its process.")->required();
  app.add_option("--tls", options.tls, "A folder with ca.pem, client.pem, client.key.")->required();
  app.add_option("--queue", options.queue, "quorum or classic.")
      ->check(CLI::IsMember({"quorum", "classic"}));
  app.add_option("--in-flight", options.in_flight, "Unconfirmed messages of all pairs together.");
  app.add_option("--pairs", options.pairs, "Publishers, each with a consumer and a queue.");
  app.add_option("--seconds", options.seconds, "How long it is measured.");
  app.add_option("--warmup", options.warmup, "How long it runs before that.");
  CLI11_PARSE(app, argc, argv);
  return waymark::bench::Measure(options);
}
