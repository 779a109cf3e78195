// What one message at a time costs with nothing around it, on this machine: a record written and
// synced, and a round trip on a gRPC stream under mutual TLS. For compare.mjs.
//
// The file has its length before, as a log has that is used again, which is the cheaper of the two.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "tests/bench/load/histogram.h"

namespace waymark::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kRecordBytes = 2048;
constexpr off_t kFileBytes = off_t{16} << 20;
// As long as the confirmation of one message.
constexpr size_t kAnswerBytes = 32;

// Ends the program: a floor that was not measured is none.
[[noreturn]] void Give(const std::string& what) {
  std::cerr << "bare_bench: " << what << "\n";
  std::exit(1);
}

uint64_t NanosSince(Clock::time_point begin) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
}

// Calls `once` for so long, and records how long each call takes.
Histogram Measure(double seconds, const std::function<void()>& once) {
  Histogram histogram;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < until) {
    const auto begin = Clock::now();
    once();
    histogram.Record(NanosSince(begin));
  }
  return histogram;
}

Histogram MeasureSync(const std::string& path, double seconds) {
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) Give("cannot open " + path);
  const std::string record(kRecordBytes, '.');
  off_t end = 0;
  const auto write_next = [&] {
    if (pwrite(file, record.data(), record.size(), end) != static_cast<ssize_t>(record.size())) {
      Give("cannot write " + path);
    }
    end = (end + static_cast<off_t>(record.size())) % kFileBytes;
  };
  const auto sync = [&] {
    if (fdatasync(file) != 0) Give("cannot sync " + path);
  };
  do {
    write_next();
  } while (end != 0);
  sync();
  Histogram histogram = Measure(seconds, [&] {
    write_next();
    sync();
  });
  close(file);
  return histogram;
}

grpc::ByteBuffer BufferOf(size_t bytes) {
  const grpc::Slice slice(std::string(bytes, '.'));
  return {&slice, 1};
}

// Answers each frame with a short one.
class AnsweringService final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor;
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { StartRead(&read_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      answer_ = BufferOf(kAnswerBytes);
      StartWrite(&answer_);
    }
    void OnWriteDone(bool ok) override {
      if (ok) StartRead(&read_);
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer read_;
    grpc::ByteBuffer answer_;
  };
};

// One stream, on which a frame goes when the answer to the one before has come.
class Caller final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Caller(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {
    stub_.PrepareBidiStreamingCall(&context_, "/waymark.bench.Bare/Call", {}, this);
    AddHold();
    StartCall();
  }

  void RoundTrip() {
    answered_ = {};
    written_ = {};
    request_ = BufferOf(kRecordBytes);
    StartRead(&answer_);
    StartWrite(&request_);
    if (!answered_.get_future().get()) Give("the stream ended");
    // The next may begin only then; as a rule it has been so for a while.
    written_.get_future().wait();
  }
  void End() {
    StartWritesDone();
    RemoveHold();
    done_.get_future().wait();
  }

  void OnReadDone(bool ok) override { answered_.set_value(ok); }
  void OnWriteDone(bool) override { written_.set_value(); }
  void OnDone(const grpc::Status&) override { done_.set_value(); }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
  std::promise<bool> answered_;
  std::promise<void> written_;
  std::promise<void> done_;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) Give("cannot read " + path);
  return text.str();
}

Histogram MeasureRoundTrip(const std::string& tls, double seconds) {
  const std::string ca = ReadFile(tls + "/ca.pem");
  grpc::SslServerCredentialsOptions server_options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  server_options.pem_root_certs = ca;
  server_options.pem_key_cert_pairs.push_back(
      {ReadFile(tls + "/server.key"), ReadFile(tls + "/server.pem")});
  AnsweringService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(server_options), &port);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Give("the server does not start");

  const auto credentials =
      grpc::SslCredentials({ca, ReadFile(tls + "/client.key"), ReadFile(tls + "/client.pem")});
  Caller caller(grpc::CreateChannel("localhost:" + std::to_string(port), credentials));
  caller.RoundTrip();
  Histogram histogram = Measure(seconds, [&] { caller.RoundTrip(); });
  caller.End();
  return histogram;
}

std::string Json(const Histogram& histogram) {
  return absl::StrFormat("{\"count\":%d,\"p50\":%.4f,\"p99\":%.4f}", histogram.count(),
                         histogram.MillisAt(0.5), histogram.MillisAt(0.99));
}

}  // namespace
}  // namespace waymark::bench

int main(int argc, char** argv) {
  std::string tls;
  std::string file;
  double seconds = 2;
  CLI::App app("A synced record, and a bare round trip under mutual TLS.", "bare_bench");
  app.add_option("--tls", tls, "A folder with ca.pem, and server and client, .pem and .key.")
      ->required();
  app.add_option("--file", file, "What is written and synced; it is overwritten.")->required();
  app.add_option("--seconds", seconds, "How long each of them is measured.");
  CLI11_PARSE(app, argc, argv);
  const auto sync = waymark::bench::MeasureSync(file, seconds);
  const auto round_trip = waymark::bench::MeasureRoundTrip(tls, seconds);
  std::cout << absl::StrFormat("{\"synced_ms\":%s,\"round_trip_ms\":%s}\n",
                               waymark::bench::Json(sync), waymark::bench::Json(round_trip));
}
