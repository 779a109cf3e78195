#include "client/delivery/health.h"

#include "base/log/log.h"
#include "base/status/status.h"

namespace waymark::node {

void Health::NoteFailing(v1::Reason reason, std::string_view why) {
  if (std::exchange(failing_, true)) return;
  Log(LogLevel::kWarning, "local_system_failing",
      {{"connector", name_}, {"reason", ReasonName(reason)}});
  // What an error says ends with the way out.
  const std::string rest =
      why.empty() ? "). " + std::string(ReasonCure(reason)) : "): " + std::string(why);
  alert_(reason, "The local system '" + name_ + "' " + failing_text_ + " (" +
                     std::string(ReasonName(reason)) + rest);
}

void Health::NoteWell() {
  if (!std::exchange(failing_, false)) return;
  Log(LogLevel::kInfo, "local_system_well", {{"connector", name_}});
  alert_(v1::REASON_UNSPECIFIED, "The local system '" + name_ + "' " + well_text_ + ".");
}

}  // namespace waymark::node
