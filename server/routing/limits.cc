#include "server/routing/limits.h"

namespace waymark::hub {
namespace {

// The longest that the span can take: five working days fit into every week.
absl::Duration LongestOf(const v1::Span& span) {
  return absl::Minutes(span.minutes()) + absl::Hours(7 * 24) * ((span.working_days() + 4) / 5);
}

template <typename List>
std::vector<v1::OrganisationClass> ClassesOf(const List& list) {
  std::vector<v1::OrganisationClass> classes;
  for (const int value : list) classes.push_back(static_cast<v1::OrganisationClass>(value));
  return classes;
}

}  // namespace

Limits Limits::From(const Catalogue& catalogue) {
  Limits limits;
  for (size_t level = 0; level < limits.message_life.size(); ++level) {
    const auto urgency = static_cast<v1::Urgency>(v1::URGENCY_U0 + level);
    limits.message_life[level] = LongestOf(catalogue.ClockOf(urgency)->expires_after());
  }
  constexpr int kHoursADay = 24;
  limits.hold = absl::Hours(kHoursADay * catalogue.clocks().waitlist_review_days());
  // The same for U0 and U1, as the catalogue makes sure.
  const v1::UrgencyClock& urgent = *catalogue.ClockOf(v1::URGENCY_U0);
  limits.offline_notice_after = urgent.has_offline_notice_after()
                                    ? absl::Minutes(urgent.offline_notice_after().minutes())
                                    : absl::InfiniteDuration();
  const v1::SeparateRelease& release = catalogue.packs().separate_release();
  limits.separate_release_life = absl::Hours(kHoursADay * release.max_days());
  limits.separate_release = ClassesOf(release.classes());
  limits.notices_only = ClassesOf(release.never());
  const v1::TrafficLimits& traffic = catalogue.traffic();
  limits.traffic = {.items_per_second = static_cast<double>(traffic.items_per_second()),
                    .burst_items = static_cast<double>(traffic.burst_items()),
                    .bytes_per_second = static_cast<double>(traffic.bytes_per_second()),
                    .burst_bytes = static_cast<double>(traffic.burst_bytes()),
                    .sessions_per_second = static_cast<double>(traffic.sessions_per_second()),
                    .burst_sessions = static_cast<double>(traffic.burst_sessions())};
  return limits;
}

}  // namespace waymark::hub
