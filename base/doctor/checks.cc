#include "base/doctor/checks.h"

#include <array>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace waymark {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kLeastBytes = 64 * kMebibyte;
constexpr absl::Duration kNoticedSkew = absl::Seconds(10);
constexpr absl::Duration kToleratedSkew = absl::Minutes(1);
constexpr unsigned kOthers = 077;

std::string Octal(unsigned mode) {
  std::array<char, 8> text = {};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

// "3 days", "5 hours", "40 minutes".
std::string About(absl::Duration duration) {
  const int64_t hours = absl::ToInt64Hours(duration);
  if (hours >= 48) return absl::StrCat(hours / 24, " days");
  if (hours >= 2) return absl::StrCat(hours, " hours");
  return absl::StrCat(absl::ToInt64Minutes(duration), " minutes");
}

std::string Utc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

}  // namespace

Finding CheckDisk(const std::string& path, const absl::Status& looked, const DiskSpace& space) {
  constexpr char kCheck[] = "disk";
  if (!looked.ok()) {
    return Wrong(kCheck, path + " is not there", "Name the right data folder, or make it.");
  }
  const std::string text = absl::StrCat(space.free_bytes / kMebibyte, " MiB of ",
                                        space.size_bytes / kMebibyte, " MiB are free at ", path);
  constexpr char kCure[] =
      "Make room on that disk: old logs, and copies of the store that upgrades kept. Nothing in "
      "the store itself may be deleted by hand.";
  if (space.free_bytes < kLeastBytes || space.free_bytes < space.size_bytes / 50) {
    return Wrong(kCheck, text, kCure);
  }
  if (space.free_bytes < space.size_bytes / 10) return Warning(kCheck, text, kCure);
  return Fine(kCheck, text);
}

Finding CheckPrivate(const PrivateFacts& facts) {
  constexpr char kCheck[] = "permissions";
  if (!facts.exists) {
    return Wrong(kCheck, facts.path + " is not there, or may not be looked at",
                 "Run doctor as the user that the program runs as; if the path is wrong, correct "
                 "the configuration.");
  }
  if (!facts.own) {
    return Wrong(kCheck, facts.path + " belongs to another user",
                 "Run doctor as the user that the program runs as. If it is that user, give the "
                 "path back to it: chown USER " +
                     facts.path);
  }
  if ((facts.mode & kOthers) != 0) {
    return Wrong(kCheck, facts.path + " can be opened by others: mode " + Octal(facts.mode),
                 std::string("chmod ") + (facts.folder ? "700 " : "600 ") + facts.path);
  }
  return Fine(kCheck, facts.path + " belongs to this user alone");
}

Finding CheckClockSync(ClockSync sync) {
  constexpr char kCheck[] = "clock";
  switch (sync) {
    case ClockSync::kSynchronised:
      return Fine(kCheck, "the clock of this machine is kept right");
    case ClockSync::kUnknown:
      return Fine(kCheck, "this machine does not tell whether its clock is kept right");
    case ClockSync::kNotSynchronised:
      break;
  }
  return Warning(kCheck, "nothing keeps the clock of this machine right",
                 "timedatectl set-ntp true, or install chrony. Messages carry times, and are "
                 "refused when they are off by more than a minute.");
}

Finding CheckSkew(absl::Duration skew) {
  constexpr char kCheck[] = "skew";
  const std::string text = absl::StrCat(
      "the clock of this machine is ",
      absl::FormatDuration(absl::Trunc(absl::AbsDuration(skew), absl::Milliseconds(1))),
      skew < absl::ZeroDuration() ? " behind" : " ahead of", " the hub's");
  constexpr char kCure[] =
      "Look at `timedatectl` here and correct the clock. If it is right, tell the hub's "
      "administrator.";
  if (absl::AbsDuration(skew) > kToleratedSkew) return Wrong(kCheck, text, kCure);
  if (absl::AbsDuration(skew) > kNoticedSkew) return Warning(kCheck, text, kCure);
  return Fine(kCheck, text);
}

Finding CheckCertificate(const CertificateFacts& facts, absl::Time now, absl::Duration warn_before,
                         const std::string& cure) {
  constexpr char kCheck[] = "certificate";
  if (!facts.usable.ok()) {
    return Wrong(kCheck, std::string(facts.usable.message()), cure);
  }
  const absl::Duration left = facts.end - now;
  const std::string text =
      absl::StrCat(facts.path, " ends at ", Utc(facts.end), ", in ", About(left));
  return left < warn_before ? Warning(kCheck, text, cure) : Fine(kCheck, text);
}

Finding CheckStatements(const std::string& who, std::optional<absl::Time> earliest_end,
                        absl::Time now, absl::Duration warn_before, const std::string& cure) {
  constexpr char kCheck[] = "statements";
  if (!earliest_end.has_value()) return Fine(kCheck, who + " has said nothing yet");
  if (*earliest_end <= now) {
    return Wrong(kCheck, "a statement of " + who + " ended at " + Utc(*earliest_end), cure);
  }
  const absl::Duration left = *earliest_end - now;
  const std::string text = absl::StrCat("the first statement of ", who, " to end does so at ",
                                        Utc(*earliest_end), ", in ", About(left));
  return left < warn_before ? Warning(kCheck, text, cure) : Fine(kCheck, text);
}

Finding CheckReachable(const ReachFacts& facts, const std::string& cure) {
  constexpr char kCheck[] = "reachability";
  if (facts.reached.ok()) return Fine(kCheck, facts.address + " can be reached");
  return Wrong(
      kCheck,
      absl::StrCat(facts.address, " cannot be reached: ", std::string(facts.reached.message())),
      cure);
}

Finding CheckVersion(const std::string& installed, const std::optional<std::string>& running,
                     const std::string& program) {
  constexpr char kCheck[] = "version";
  if (!running.has_value()) return Fine(kCheck, program + " " + installed + " is installed");
  if (*running == installed) return Fine(kCheck, program + " " + installed + " runs");
  return Warning(kCheck,
                 absl::StrCat(program, " ", *running, " runs, and ", installed, " is installed"),
                 "Start the program again, so that what is installed is what runs.");
}

Finding CheckSchema(const SchemaFacts& facts, const std::string& program) {
  constexpr char kCheck[] = "schema";
  if (!facts.found.has_value()) return Fine(kCheck, "there is no store yet");
  const std::string text = absl::StrCat("the store has schema ", *facts.found, ", and ", program,
                                        " writes ", facts.known);
  if (*facts.found > facts.known) {
    return Wrong(kCheck, text,
                 "A newer program wrote it: install that one again, or put back the copy that it "
                 "made before it changed the schema (docs/operations.md, Upgrades).");
  }
  if (*facts.found < facts.known) {
    return Warning(kCheck, text,
                   "The next start changes it, and keeps a copy beside it; leave room for that.");
  }
  return Fine(kCheck, text);
}

}  // namespace waymark
