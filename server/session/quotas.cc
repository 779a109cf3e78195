#include "server/session/quotas.h"

namespace waymark::hub {

size_t Quotas::Admit(const OrganisationId& member, std::span<const size_t> bytes, absl::Time now) {
  MutexLock lock(mu_);
  Account& account =
      accounts_
          .try_emplace(member, Account{{limits_.items_per_second, limits_.burst_items},
                                       {limits_.bytes_per_second, limits_.burst_bytes}})
          .first->second;
  if (now < account.rests_until) return 0;
  for (size_t admitted = 0; admitted < bytes.size(); ++admitted) {
    const auto size = static_cast<double>(bytes[admitted]);
    if (!account.items.Has(1, now) || !account.bytes.Has(size, now)) {
      account.rests_until = now + kRest;
      return admitted;
    }
    account.items.Take(1);
    account.bytes.Take(size);
  }
  return bytes.size();
}

}  // namespace waymark::hub
