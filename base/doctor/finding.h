// What `doctor` finds: whether something is in order, and if not, what to do about it.
//
// A finding holds paths of our own files, addresses of hubs, times and versions; never anything
// about a person, a case or a partner. Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace waymark {

enum class Severity {
  kFine,
  // It works now, and will not for long, or works badly.
  kWarning,
  // It does not work.
  kError,
};

struct Finding {
  Severity severity = Severity::kFine;
  // What was looked at, stable for programs: "disk", "certificate".
  std::string check;
  // One sentence without its full stop.
  std::string text;
  // One or more sentences; empty for what is fine.
  std::string cure;

  friend bool operator==(const Finding&, const Finding&) = default;
};

Finding Fine(std::string check, std::string text);
Finding Warning(std::string check, std::string text, std::string cure);
Finding Wrong(std::string check, std::string text, std::string cure);

// The worst of them; kFine for none.
Severity Worst(std::span<const Finding> findings);

// 0: everything is fine. 1: there are warnings. 2: something does not work.
int DoctorExitCode(std::span<const Finding> findings);

// A line for each, and its cure on the next; then how many there are of each severity.
std::string FindingsText(std::span<const Finding> findings);

// One line of JSON: {"worst": "warning", "findings": [{"severity", "check", "text", "cure"}]}.
std::string FindingsJson(std::span<const Finding> findings);

}  // namespace waymark
