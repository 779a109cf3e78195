#include "client/mapping/mapping_error.h"

#include <sys/wait.h>

#include <csignal>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

constexpr size_t kMaxShown = 200;
// What the interpreter's prelude says of what it shadows.
constexpr std::string_view kHasNo = "a mapping has no ";
constexpr std::string_view kShadowed[] = {
    "env",          "now",        "localtime",      "strflocaltime",     "input",
    "inputs",       "debug",      "input_filename", "input_line_number", "stderr",
    "halt",         "halt_error", "modulemeta",     "get_search_list",   "get_prog_origin",
    "get_jq_origin"};

// What jq says, up to the first value, and what we say instead.
struct Form {
  std::string_view begins;
  std::string_view contains;
  std::string_view shown;
};
constexpr Form kForms[] = {
    {"Cannot index null", "", "it looks up a part of null"},
    {"Cannot index boolean", "", "it looks up a part of a boolean"},
    {"Cannot index number", "", "it looks up a part of a number"},
    {"Cannot index string", "", "it looks up a part of a string"},
    {"Cannot index array", "", "it looks up a key in an array"},
    {"Cannot index object", "", "it looks up a position in an object"},
    {"Cannot iterate over null", "", "it goes through the entries of null"},
    {"Cannot iterate over boolean", "", "it goes through the entries of a boolean"},
    {"Cannot iterate over number", "", "it goes through the entries of a number"},
    {"Cannot iterate over string", "", "it goes through the entries of a string"},
    {"", " cannot be parsed as a number", "it reads a number from a text that is none"},
    {"", " cannot be added", "it adds values that do not go together"},
    {"", " cannot be subtracted", "it subtracts values that do not go together"},
    {"", " cannot be multiplied", "it multiplies values that do not go together"},
    {"", " cannot be divided", "it divides values that do not go together"},
    {"", " has no keys", "it asks for the keys of something that has none"},
    {"", " has no length", "it asks for the length of something that has none"},
    {"", " cannot be matched", "it matches something that is no string"},
    {"", " does not match format", "it reads a time in a format that the text does not have"},
    {"Invalid numeric literal", "", "it reads JSON or a number from a text that is neither"},
    {"Exceeds depth limit", "", "it reads JSON that is nested too deep"},
    {"Out of bounds negative array index", "", "it looks before the beginning of an array"},
    {"Regex failure", "", "a regular expression of it fails"},
    {"", " is not valid base64 data", "it decodes a text that is not base64"},
};

std::string_view View(std::string_view text, size_t most) { return text.substr(0, most); }

// Text from the child, fit for one line of an error.
std::string OneLine(std::string_view text) {
  if (!IsUtf8Text(text)) return "";
  std::string line(View(text, kMaxShown));
  while (!line.empty() && !IsUtf8Text(line)) line.pop_back();
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return line;
}

std::string Colon(std::string_view text) {
  return text.empty() ? "" : absl::StrCat(": ", std::string(text));
}

absl::Status Raised(const std::string& name, const jq::Response& response, bool reveal) {
  const std::string_view message = response.message;
  for (const std::string_view shadowed : kShadowed) {
    if (message.substr(0, kHasNo.size()) == kHasNo && message.substr(kHasNo.size()) == shadowed) {
      return Error(v1::REASON_MAPPING_FORBIDDEN,
                   "mapping " + name + " uses " + std::string(shadowed));
    }
  }
  const std::string said = reveal ? OneLine(message) : std::string(WithoutValues(message));
  return Error(v1::REASON_MAPPING_FAILED,
               "mapping " + name + " failed on this input" + Colon(said));
}

}  // namespace

std::string_view WithoutValues(std::string_view message) {
  for (const Form& form : kForms) {
    if (message.substr(0, form.begins.size()) == form.begins &&
        message.find(form.contains) != std::string_view::npos) {
      return form.shown;
    }
  }
  return {};
}

absl::Status ErrorOf(const std::string& name, const jq::Response& response, bool reveal) {
  switch (response.outcome) {
    case jq::Outcome::kInvalid: {
      const std::string line = response.line == 0 ? "" : ", line " + std::to_string(response.line);
      return Error(v1::REASON_MAPPING_INVALID, "mapping " + name + line + " does not compile" +
                                                   Colon(OneLine(response.message)));
    }
    case jq::Outcome::kRaised:
      return Raised(name, response, reveal);
    case jq::Outcome::kOutputTooLarge:
      return Error(v1::REASON_MAPPING_OUTPUT_TOO_LARGE,
                   "mapping " + name + " returns more than it may");
    case jq::Outcome::kOutOfMemory:
      return Error(v1::REASON_MAPPING_MEMORY, "mapping " + name + " ran out of memory");
    case jq::Outcome::kInputInvalid:
      return Error(v1::REASON_MAPPING_INPUT_INVALID,
                   "the input of mapping " + name + " is not JSON that jq takes");
    case jq::Outcome::kOutputs:
      break;
  }
  return Error(v1::REASON_INTERNAL, "mapping " + name + " did not fail");
}

absl::Status ErrorOfEnd(const std::string& name, int wait_status) {
  if (WIFEXITED(wait_status)) {
    return Error(v1::REASON_MAPPING_UNAVAILABLE, "the program that runs mapping " + name +
                                                     " ended with status " +
                                                     std::to_string(WEXITSTATUS(wait_status)));
  }
  const int signal = WTERMSIG(wait_status);
  switch (signal) {
    case SIGSYS:
      return Error(v1::REASON_MAPPING_FORBIDDEN,
                   "mapping " + name + " made jq reach outside its sandbox");
    case SIGXCPU:
      return Error(v1::REASON_MAPPING_TIME, "mapping " + name + " used up its processor time");
    default:
      return Error(v1::REASON_MAPPING_CRASHED,
                   "mapping " + name + " broke jq (signal " + std::to_string(signal) + ")");
  }
}

}  // namespace waymark::node
