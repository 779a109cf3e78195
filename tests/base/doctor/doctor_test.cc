// The checks that hub and node share, row by row, and what gathers their facts.
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "absl/time/clock.h"
#include "base/doctor/checks.h"
#include "base/doctor/finding.h"
#include "base/doctor/look.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "netinet/in.h"
#include "tests/support/test_network.h"

namespace waymark {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kGibibyte = uint64_t{1} << 30;

absl::Time Now() { return absl::FromUnixSeconds(1'800'000'000); }

struct CheckCase {
  const char* name;
  std::function<Finding()> check;
  Severity severity;
  const char* about;
  // Part of the text, and of the cure.
  const char* text;
  const char* cure;
};

void PrintTo(const CheckCase& row, std::ostream* out) { *out << row.name; }

class ChecksTest : public testing::TestWithParam<CheckCase> {};

TEST_P(ChecksTest, SaysHowBadItIsAndWhatToDo) {
  const CheckCase& row = GetParam();
  const Finding finding = row.check();
  EXPECT_EQ(finding.severity, row.severity) << finding.text;
  EXPECT_EQ(finding.check, row.about);
  EXPECT_THAT(finding.text, HasSubstr(row.text));
  EXPECT_THAT(finding.cure, HasSubstr(row.cure));
  EXPECT_EQ(finding.cure.empty(), finding.severity == Severity::kFine);
}

Finding Disk(uint64_t free, uint64_t size) {
  return CheckDisk("/data", absl::OkStatus(), {.free_bytes = free, .size_bytes = size});
}

Finding Private(bool exists, unsigned mode, bool own, bool folder = true) {
  return CheckPrivate(
      {.path = "/data", .exists = exists, .folder = folder, .mode = mode, .own = own});
}

Finding Ends(absl::Duration left, const absl::Status& usable = absl::OkStatus()) {
  return CheckCertificate({.path = "hub.crt", .usable = usable, .end = Now() + left}, Now(),
                          absl::Hours(240), "Ask for the next.");
}

Finding Vouches(std::optional<absl::Duration> left) {
  std::optional<absl::Time> end;
  if (left) end = Now() + *left;
  return CheckStatements("the registry", end, Now(), absl::Hours(72), "Refresh.");
}

constexpr Severity kFine = Severity::kFine;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;

INSTANTIATE_TEST_SUITE_P(
    Doctor, ChecksTest,
    testing::Values(
        CheckCase{"DiskHasRoom", [] { return Disk(50 * kGibibyte, 100 * kGibibyte); }, kFine,
                  "disk", "51200 MiB of 102400 MiB", ""},
        CheckCase{"DiskTenth", [] { return Disk(10 * kGibibyte, 100 * kGibibyte); }, kFine, "disk",
                  "", ""},
        CheckCase{"DiskBelowATenth", [] { return Disk(9 * kGibibyte, 100 * kGibibyte); }, kWarning,
                  "disk", "/data", "Make room"},
        CheckCase{"DiskBelowAFiftieth", [] { return Disk(kGibibyte, 100 * kGibibyte); }, kError,
                  "disk", "", "Make room"},
        CheckCase{"DiskSmallAndFull", [] { return Disk(63 << 20, 128 << 20); }, kError, "disk", "",
                  "Make room"},
        CheckCase{"DiskNotThere",
                  [] { return CheckDisk("/data", Error(v1::REASON_FILE_UNUSABLE, "gone"), {}); },
                  kError, "disk", "/data is not there", "data folder"},
        CheckCase{"OwnFolder", [] { return Private(true, 0700, true); }, kFine, "permissions",
                  "this user alone", ""},
        CheckCase{"FolderOfOthers", [] { return Private(true, 0700, false); }, kError,
                  "permissions", "another user", "chown"},
        CheckCase{"OpenFolder", [] { return Private(true, 0750, true); }, kError, "permissions",
                  "mode 0750", "chmod 700 /data"},
        CheckCase{"OpenFile", [] { return Private(true, 0604, true, false); }, kError,
                  "permissions", "mode 0604", "chmod 600 /data"},
        CheckCase{"NoFolder", [] { return Private(false, 0, false); }, kError, "permissions",
                  "is not there", "the user"},
        CheckCase{"ClockKept", [] { return CheckClockSync(ClockSync::kSynchronised); }, kFine,
                  "clock", "", ""},
        CheckCase{"ClockNotKept", [] { return CheckClockSync(ClockSync::kNotSynchronised); },
                  kWarning, "clock", "", "timedatectl"},
        CheckCase{"ClockUnknown", [] { return CheckClockSync(ClockSync::kUnknown); }, kFine,
                  "clock", "does not tell", ""},
        CheckCase{"SkewSmall", [] { return CheckSkew(absl::Seconds(-10)); }, kFine, "skew",
                  "10s behind", ""},
        CheckCase{"SkewNoticed", [] { return CheckSkew(absl::Seconds(11)); }, kWarning, "skew",
                  "11s ahead of", "timedatectl"},
        CheckCase{"SkewHarmful", [] { return CheckSkew(absl::Seconds(-61)); }, kError, "skew",
                  "1m1s behind", "timedatectl"},
        CheckCase{"CertificateLasts", [] { return Ends(absl::Hours(24 * 60)); }, kFine,
                  "certificate", "in 60 days", ""},
        CheckCase{"CertificateEndsSoon", [] { return Ends(absl::Hours(239)); }, kWarning,
                  "certificate", "in 9 days", "Ask for the next."},
        CheckCase{"CertificateEndsToday", [] { return Ends(absl::Minutes(100)); }, kWarning,
                  "certificate", "in 100 minutes", "Ask for the next."},
        CheckCase{"CertificateUnusable",
                  [] {
                    return Ends(absl::Hours(9999),
                                Error(v1::REASON_IDENTITY_MISSING, "of another network"));
                  },
                  kError, "certificate", "of another network", "Ask for the next."},
        CheckCase{"NothingSaid", [] { return Vouches(std::nullopt); }, kFine, "statements",
                  "nothing yet", ""},
        CheckCase{"StatementsHold", [] { return Vouches(absl::Hours(96)); }, kFine, "statements",
                  "in 4 days", ""},
        CheckCase{"StatementsEndSoon", [] { return Vouches(absl::Hours(30)); }, kWarning,
                  "statements", "in 30 hours", "Refresh."},
        CheckCase{"StatementsEnded", [] { return Vouches(absl::ZeroDuration()); }, kError,
                  "statements", "ended at 2027-01-15 08:00 UTC", "Refresh."},
        CheckCase{"Reached",
                  [] {
                    return CheckReachable({"hub.example:1", absl::OkStatus()}, "Look.");
                  },
                  kFine, "reachability", "hub.example:1", ""},
        CheckCase{"NotReached",
                  [] {
                    return CheckReachable({"hub.example:1", absl::UnavailableError("no answer")},
                                          "Look.");
                  },
                  kError, "reachability", "hub.example:1 cannot be reached: no answer", "Look."},
        CheckCase{"SameVersion", [] { return CheckVersion("1.2", "1.2", "waymark-hub"); }, kFine,
                  "version", "waymark-hub 1.2 runs", ""},
        CheckCase{"OtherVersion", [] { return CheckVersion("1.3", "1.2", "waymark-hub"); },
                  kWarning, "version", "waymark-hub 1.2 runs, and 1.3 is installed",
                  "Start the program again"},
        CheckCase{"NoneRuns", [] { return CheckVersion("1.3", std::nullopt, "waymark-hub"); },
                  kFine, "version", "1.3 is installed", ""},
        CheckCase{"NoStore",
                  [] {
                    return CheckSchema({std::nullopt, 2}, "waymark-hub");
                  },
                  kFine, "schema", "no store", ""},
        CheckCase{"SameSchema",
                  [] {
                    return CheckSchema({2, 2}, "waymark-hub");
                  },
                  kFine, "schema", "", ""},
        CheckCase{"OlderSchema",
                  [] {
                    return CheckSchema({1, 2}, "waymark-hub");
                  },
                  kWarning, "schema", "the store has schema 1, and waymark-hub writes 2",
                  "keeps a copy"},
        CheckCase{"NewerSchema",
                  [] {
                    return CheckSchema({3, 2}, "waymark-hub");
                  },
                  kError, "schema", "", "newer program"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FindingTest, TheWorstDecides) {
  const std::vector<Finding> fine = {Fine("disk", "room")};
  const std::vector<Finding> warned = {Fine("disk", "room"), Warning("clock", "off", "Set it.")};
  const std::vector<Finding> wrong = {Wrong("disk", "full", "Make room."),
                                      Warning("clock", "off", "Set it.")};
  EXPECT_EQ(DoctorExitCode({}), 0);
  EXPECT_EQ(DoctorExitCode(fine), 0);
  EXPECT_EQ(DoctorExitCode(warned), 1);
  EXPECT_EQ(DoctorExitCode(wrong), 2);
  EXPECT_EQ(FindingsText(wrong),
            "error    disk: full\n         Make room.\n"
            "warning  clock: off\n         Set it.\n"
            "2 looked at: 1 error, 1 warning\n");
  const std::string json = FindingsJson(warned);
  EXPECT_THAT(json, AllOf(HasSubstr(R"("worst":"warning")"), HasSubstr(R"("check":"clock")"),
                          HasSubstr(R"("cure":"Set it.")"), Not(HasSubstr("\n"))));
}

class LookTest : public testing::Test {
 protected:
  LookTest() {
    std::string pattern = testing::TempDir() + "doctor_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~LookTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(LookTest, SeesModeAndOwner) {
  ASSERT_EQ(chmod(folder_.c_str(), 0750), 0);
  const PrivateFacts folder = LookAtPrivate(folder_);
  EXPECT_TRUE(folder.exists && folder.folder && folder.own);
  EXPECT_EQ(folder.mode, 0750U);
  EXPECT_FALSE(LookAtPrivate(folder_ + "/none").exists);
}

TEST_F(LookTest, SeesTheSchemaOfADatabase) {
  const std::string path = folder_ + "/store";
  EXPECT_EQ(LookAtSchema(path), std::nullopt);
  std::string header(100, '\0');
  std::ofstream(path) << header;
  EXPECT_EQ(LookAtSchema(path), std::nullopt) << "no version yet";
  header[62] = 1;
  header[63] = 2;
  std::ofstream(path) << header;
  EXPECT_EQ(LookAtSchema(path), 258);
}

TEST_F(LookTest, SeesTheEndOfACertificate) {
  TestNetwork network(7, absl::Now());
  const KeyAndCertificate keys = network.IssueHub(absl::Hours(24));
  const TlsFiles files = {folder_ + "/key", folder_ + "/crt", folder_ + "/ca"};
  ASSERT_TRUE(WriteSecretFile(files.key_path, keys.key_pem).ok());
  ASSERT_TRUE(WritePublicFile(files.certificate_path, keys.certificate_pem).ok());
  ASSERT_TRUE(WritePublicFile(files.ca_path, network.ca_pem()).ok());
  const CertificateFacts now = LookAtCertificate(files, absl::Now());
  EXPECT_TRUE(now.usable.ok()) << now.usable;
  EXPECT_GT(now.end, absl::Now() + absl::Hours(23));
  EXPECT_FALSE(LookAtCertificate(files, absl::Now() + absl::Hours(25)).usable.ok());
}

TEST_F(LookTest, ReachesWhoListensAndNobodyElse) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  // Bound and not listening: refused.
  const ReachFacts refused = Reach("127.0.0.1:" + port, absl::Seconds(5));
  EXPECT_THAT(std::string(refused.reached.message()), HasSubstr("refused"));
  ASSERT_EQ(listen(listener, 1), 0);
  EXPECT_TRUE(Reach("127.0.0.1:" + port, absl::Seconds(5)).reached.ok());
  close(listener);
  EXPECT_FALSE(Reach("no-such-name.invalid:1", absl::Seconds(5)).reached.ok());
}

}  // namespace
}  // namespace waymark
