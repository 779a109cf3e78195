#include "tests/support/hub_process.h"

#include <sys/stat.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/identity/files.h"
#include "base/status/status.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "httplib.h"
#include "tests/support/poll.h"

namespace waymark::testing {
namespace {

constexpr size_t kLengthBytes = 8;

std::string Loopback(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

std::string HubProcess::Program() const {
  return options_.variant.program.empty() ? WAYMARK_HUB_TEST : options_.variant.program;
}

absl::StatusOr<std::string> HubProcess::Init() {
  std::filesystem::create_directories(options_.folder);
  RETURN_IF_ERROR(RunToEnd(
      {.command = {Program(), "init", "--data", Path("data"), "--network", options_.network},
       .output = Path("init.out")}));
  return ReadPublicFile(Path("data/hub.csr"));
}

absl::Status HubProcess::Install(const std::string& certificate_pem) {
  return WritePublicFile(Path("data/hub.crt"), certificate_pem);
}

absl::Status HubProcess::WriteConfig() const {
  const std::string listen = options_.variant.addresses.empty()
                                 ? Loopback(ports_.exchange)
                                 : "0.0.0.0:" + std::to_string(ports_.exchange);
  return WritePublicFile(Path("hub.yaml"), "data: data\nnetwork: " + options_.network +
                                               "\nlisten: " + listen +
                                               "\nenrolment_listen: " + Loopback(ports_.enrolment) +
                                               "\nmetrics_listen: " + Loopback(ports_.metrics) +
                                               "\nlog:\n  level: " + options_.variant.log_level +
                                               "\n  file: hub.log\n" + options_.variant.settings);
}

absl::Status HubProcess::Start() {
  RETURN_IF_ERROR(WriteConfig());
  std::filesystem::remove(Path("ready"));
  ASSIGN_OR_RETURN(process_,
                   Process::Start({.command = {Program(), "serve", "--config", Path("hub.yaml"),
                                               "--ready-file", Path("ready")},
                                   .environment = {{"WAYMARK_TEST_CLOCK", options_.clock_file},
                                                   {"WAYMARK_TEST_RECORD", Path("record")}},
                                   .output = Path("hub.out")}));
  Eventually([&] { return std::filesystem::exists(Path("ready")) || !process_->running(); },
             kStartLimit);
  const auto ready = ReadPublicFile(Path("ready"));
  if (!ready.ok()) {
    const auto output = ReadPublicFile(Path("hub.out"));
    return Failed("the hub did not start: " + (output.ok() ? *output : ""));
  }
  google::protobuf::Struct ports;
  if (!google::protobuf::util::JsonStringToMessage(*ready, &ports).ok()) {
    return Failed("the hub's ready file is no JSON");
  }
  const auto port = [&](const char* name) {
    return static_cast<int>(ports.fields().at(name).number_value());
  };
  ports_ = {
      .exchange = port("exchange"), .enrolment = port("enrolment"), .metrics = port("metrics")};
  return absl::OkStatus();
}

absl::Status HubProcess::Stop() {
  process_->Signal(SIGTERM);
  const auto status = process_->Wait(absl::Seconds(30));
  process_.reset();
  if (status == 0) return absl::OkStatus();
  const auto output = ReadPublicFile(Path("hub.out"));
  return Failed("the hub did not stop in order: " + (output.ok() ? *output : ""));
}

void HubProcess::Kill() { process_.reset(); }

absl::StatusOr<std::vector<std::string>> HubProcess::Recorded() const {
  std::vector<std::string> frames;
  std::ifstream file(Path("record"), std::ios::binary);
  while (true) {
    std::string length(kLengthBytes, '\0');
    if (!file.read(length.data(), kLengthBytes)) return frames;
    uint64_t size = 0;
    for (const char byte : length) size = size << 8 | static_cast<uint8_t>(byte);
    std::string frame(size, '\0');
    // A hub that was killed may have left half a frame at the end.
    if (!file.read(frame.data(), static_cast<std::streamsize>(size))) return frames;
    frames.push_back(std::move(frame));
  }
}

absl::StatusOr<std::string> HubProcess::Metrics() const {
  httplib::Client client("127.0.0.1", ports_.metrics);
  const auto result = client.Get("/metrics");
  if (!result || result->status != 200) return Failed("the hub gives no metrics");
  return result->body;
}

}  // namespace waymark::testing
