#include "client/node_alerts.h"

#include "base/log/log.h"
#include "base/status/status.h"

namespace waymark::node {

void NodeAlerts::Raise(v1::Reason reason, const std::string& text) {
  v1::Alert alert;
  const absl::Time now = clock_.Now();
  alert.mutable_raised_at()->set_seconds(absl::ToUnixSeconds(now));
  alert.set_reason(reason);
  alert.set_text(text);
  bool repeated = false;
  {
    MutexLock lock(mu_);
    repeated = std::erase_if(alerts_, [&](const v1::Alert& old) { return old.text() == text; }) > 0;
    alerts_.push_front(alert);
    if (alerts_.size() > kMost) alerts_.pop_back();
  }
  const LogLevel level = reason == v1::REASON_UNSPECIFIED ? LogLevel::kInfo : LogLevel::kWarning;
  Log(repeated ? LogLevel::kDebug : level, "alert", {{"reason", ReasonName(reason)}});
}

std::vector<v1::Alert> NodeAlerts::List() const {
  MutexLock lock(mu_);
  return {alerts_.begin(), alerts_.end()};
}

}  // namespace waymark::node
