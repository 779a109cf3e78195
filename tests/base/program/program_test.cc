// Signals and the service manager, as every program of ours that serves takes them.
#include "base/program/program.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/log/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    std::string pattern = ::testing::TempDir() + "program_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ProgramTest() override {
    EXPECT_TRUE(StartLog({}).ok());
    unsetenv("NOTIFY_SOCKET");
    std::filesystem::remove_all(folder_);
  }

  // The events of the log, with their first field.
  std::vector<std::string> Logged() {
    std::vector<std::string> events;
    std::ifstream file(folder_ + "/log");
    for (std::string time, level, rest; file >> time >> level && std::getline(file, rest);) {
      events.push_back(rest.substr(1));
    }
    return events;
  }

  std::string folder_;
};

TEST_F(ProgramTest, SignalsRaiseTheLogAndLowerItAgainWithoutEndingTheProgram) {
  const EndSignals signals;
  ASSERT_TRUE(StartLog({.level = LogLevel::kError, .file = folder_ + "/log"}).ok());
  // Each is blocked, hence kept until Wait takes it; of two that wait, the lower number comes
  // first.
  const auto takes = [&](int signal, const char* event) {
    kill(getpid(), signal);
    kill(getpid(), SIGTERM);
    signals.Wait();
    Log(LogLevel::kDebug, event);
  };
  Log(LogLevel::kDebug, "before");
  takes(SIGUSR1, "raised");
  takes(SIGHUP, "reopened");
  takes(SIGUSR2, "restored");
  EXPECT_THAT(Logged(),
              ElementsAre("log_level level=debug", "raised", "reopened", "log_level level=error"));
}

TEST_F(ProgramTest, TheServiceManagerIsTold) {
  const std::string path = folder_ + "/notify";
  const int listener = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(setenv("NOTIFY_SOCKET", path.c_str(), 1), 0);
  NotifyServiceManager("READY=1");
  std::array<char, 64> bytes = {};
  const ssize_t size = recv(listener, bytes.data(), bytes.size(), MSG_DONTWAIT);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(bytes.data(), static_cast<size_t>(size)), "READY=1");
  close(listener);
}

TEST_F(ProgramTest, NoServiceManagerIsNoTrouble) {
  unsetenv("NOTIFY_SOCKET");
  NotifyServiceManager("READY=1");
  ASSERT_EQ(setenv("NOTIFY_SOCKET", (folder_ + "/gone").c_str(), 1), 0);
  ASSERT_TRUE(StartLog({.file = folder_ + "/log"}).ok());
  NotifyServiceManager("READY=1");
  EXPECT_THAT(Logged(), ElementsAre(HasSubstr("service_manager_not_told")));
}

}  // namespace
}  // namespace waymark
