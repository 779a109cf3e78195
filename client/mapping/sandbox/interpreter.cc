#include "client/mapping/sandbox/interpreter.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace waymark::jq {
namespace {

// Compiling costs a hundred times what running does.
constexpr size_t kKeptPrograms = 16;

// Stands before every program, on its first line. A program that begins with import, include or
// module is then a syntax error, because these may only stand first.
constexpr char kPrelude[] =
    "def error: if . == null then error(\"null\") else error(.) end; "
    "def error(value): value | error; "
    "def env: error(\"a mapping has no env\"); "
    "def now: error(\"a mapping has no now\"); "
    "def localtime: error(\"a mapping has no localtime\"); "
    "def strflocaltime(format): error(\"a mapping has no strflocaltime\"); "
    "def input: error(\"a mapping has no input\"); "
    "def inputs: error(\"a mapping has no inputs\"); "
    "def input_filename: error(\"a mapping has no input_filename\"); "
    "def input_line_number: error(\"a mapping has no input_line_number\"); "
    "def debug: error(\"a mapping has no debug\"); "
    "def debug(message): error(\"a mapping has no debug\"); "
    "def stderr: error(\"a mapping has no stderr\"); "
    "def halt: error(\"a mapping has no halt\"); "
    "def halt_error: error(\"a mapping has no halt_error\"); "
    "def halt_error(code): error(\"a mapping has no halt_error\"); "
    "def modulemeta: error(\"a mapping has no modulemeta\"); "
    "def get_search_list: error(\"a mapping has no get_search_list\"); "
    "def get_prog_origin: error(\"a mapping has no get_prog_origin\"); "
    "def get_jq_origin: error(\"a mapping has no get_jq_origin\"); "
    "{} as $ENV | .args as $args | .input | ";

jv String(std::string_view text) {
  return jv_string_sized(text.data(), static_cast<int>(text.size()));
}

// Consumes `value`.
std::string TextOf(jv value) {
  if (jv_get_kind(value) != JV_KIND_STRING) value = jv_dump_string(value, 0);
  std::string text(jv_string_value(value),
                   static_cast<size_t>(jv_string_length_bytes(jv_copy(value))));
  jv_free(value);
  return text;
}

// Reads "jq: error: WHAT at <top-level>, line N:" from the first of jq's messages.
void KeepFirstMessage(void* data, jv message) {
  auto& response = *static_cast<Response*>(data);
  std::string text = TextOf(message);
  if (!response.message.empty()) return;
  text.resize(std::min(text.find('\n'), text.size()));
  constexpr std::string_view kStart = "jq: error: ";
  if (text.compare(0, kStart.size(), kStart) == 0) text.erase(0, kStart.size());
  constexpr std::string_view kLine = ", line ";
  const size_t line = text.rfind(kLine);
  if (line != std::string::npos) {
    response.line =
        static_cast<uint32_t>(std::strtoul(text.c_str() + line + kLine.size(), nullptr, 10));
    text.resize(std::min(text.rfind(" at ", line), line));
  }
  // jq's advice is for those who type programs into a shell.
  text.resize(std::min(text.find(" (Unix shell quoting issues?)"), text.size()));
  text.resize(std::min(text.size(), kMaxMessage));
  response.message = std::move(text);
}

// What is said beside the result goes nowhere.
void Ignore(void* /*data*/, jv message) { jv_free(message); }

}  // namespace

jq_state* Interpreter::Find(const std::string& program, Response& response) {
  for (auto kept = compiled_.begin(); kept != compiled_.end(); ++kept) {
    if (kept->program != program) continue;
    compiled_.splice(compiled_.begin(), compiled_, kept);
    return kept->state.get();
  }
  State state(jq_init());
  if (state == nullptr) out_of_memory_(nullptr);
  jq_set_nomem_handler(state.get(), out_of_memory_, nullptr);
  jq_set_debug_cb(state.get(), Ignore, nullptr);
  jq_set_error_cb(state.get(), KeepFirstMessage, &response);
  if (jq_compile(state.get(), (kPrelude + program).c_str()) == 0) {
    response.outcome = Outcome::kInvalid;
    return nullptr;
  }
  jq_set_error_cb(state.get(), Ignore, nullptr);
  response = {};
  compiled_.push_front({program, std::move(state)});
  if (compiled_.size() > kKeptPrograms) compiled_.pop_back();
  return compiled_.front().state.get();
}

Response Interpreter::Run(const Request& request) {
  Response response;
  jq_state* state = Find(request.program, response);
  if (state == nullptr) return response;
  jv input = jv_parse_sized(request.input.data(), static_cast<int>(request.input.size()));
  if (!jv_is_valid(input)) {
    jv_free(input);
    return {.outcome = Outcome::kInputInvalid};
  }
  jv arguments = jv_object();
  for (const auto& [name, value] : request.arguments) {
    arguments = jv_object_set(arguments, String(name), String(value));
  }
  jv whole = jv_object_set(jv_object(), String("input"), input);
  jq_start(state, jv_object_set(whole, String("args"), arguments), 0);
  size_t size = 0;
  jv output = jq_next(state);
  for (; jv_is_valid(output); output = jq_next(state)) {
    std::string text = TextOf(jv_dump_string(output, 0));
    size += text.size() + kOutputOverhead;
    if (size > request.max_output) {
      response = {.outcome = Outcome::kOutputTooLarge};
      output = jv_invalid();
      break;
    }
    response.outputs.push_back(std::move(text));
  }
  if (jv_invalid_has_msg(jv_copy(output))) {
    std::string message = TextOf(jv_invalid_get_msg(jv_copy(output)));
    message.resize(std::min(message.size(), kMaxMessage));
    response = {.outcome = Outcome::kRaised, .message = std::move(message)};
  }
  jv_free(output);
  // Lets go of what the program still holds.
  jq_start(state, jv_null(), 0);
  return response;
}

}  // namespace waymark::jq
