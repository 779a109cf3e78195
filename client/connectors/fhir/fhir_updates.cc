#include "client/connectors/fhir/fhir_updates.h"

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/crypto/hash.h"
#include "client/connectors/http/url.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// Of 48 bits: two versions of one instant do not meet by chance.
constexpr size_t kMarkBytes = 6;
// So many marks fit into a cursor.
constexpr size_t kMaxMarks = 440;
constexpr size_t kMaxInstantSize = 40;

bool ParseInstant(const std::string& text, absl::Time& time) {
  return text.size() <= kMaxInstantSize &&
         absl::ParseTime(absl::RFC3339_full, text, &time, nullptr);
}

}  // namespace

absl::StatusOr<FhirPosition> FhirPosition::Parse(std::string_view cursor) {
  FhirPosition position;
  if (cursor.empty()) return position;
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(cursor.data(), cursor.size()), ' ');
  position.instant_ = parts.front();
  position.read_.insert(parts.begin() + 1, parts.end());
  if (ParseInstant(position.instant_, position.time_)) return position;
  return SystemRefused("the place to read on from is none of a FHIR server");
}

std::string FhirPosition::Path(std::string_view system) const {
  std::string path = "/Task?identifier=" + PercentEncode(system) +
                     "%7C&_sort=_lastUpdated&_count=" + std::to_string(kMaxFeedItems);
  if (!instant_.empty()) path += "&_lastUpdated=ge" + PercentEncode(instant_);
  return path;
}

absl::StatusOr<bool> FhirPosition::MoveTo(const FhirTask& task) {
  absl::Time time;
  if (task.id.empty() || !ParseInstant(task.last_updated, time)) {
    return SystemRefused("the server does not say the id and meta.lastUpdated of a Task");
  }
  const std::string mark = absl::WebSafeBase64Escape(
      Sha256("waymark fhir version", {task.id, task.version, task.last_updated})
          .substr(0, kMarkBytes));
  if (time < time_) {
    return SystemRefused("the server does not sort Tasks by _lastUpdated, or clocks of it differ");
  }
  if (time > time_) {
    read_.clear();
    time_ = time;
    instant_ = task.last_updated;
  }
  const bool fresh = read_.insert(mark).second;
  if (read_.size() <= kMaxMarks) return fresh;
  return SystemRefused("the server has changed more than 440 Tasks at one instant");
}

std::string FhirPosition::Cursor() const {
  if (instant_.empty()) return "";
  return instant_ + " " + absl::StrJoin(read_, " ");
}

}  // namespace waymark::node
