// The hub's own certificate: whether it can serve, and for how long.
//
// gRPC takes in replaced files by itself and says nothing about them (base/rpc/credentials.h); this
// looks at the same files, so that people hear in time that the certificate ends and at once that a
// replacement does not fit. Decides only: the hub writes the log and the metric.
//
// Threads: one at a time. Lifetime: a value.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/rpc/credentials.h"

namespace waymark::hub {

// OK if `files` can serve at `now`; as CheckTlsFiles, and a certificate that has ended is reported
// with its end and how to come by the next one (REASON_IDENTITY_MISSING).
absl::Status CheckOwnCertificate(const TlsFiles& files, absl::Time now);

class OwnCertificate {
 public:
  // Before so much is left, the end is near.
  static constexpr absl::Duration kWarnBefore = absl::Hours(24 * 10);

  // What is worth telling since the last look.
  enum class News {
    kNone,
    // The files hold another certificate than before, and it serves.
    kReplaced,
    // Less than kWarnBefore is left; told again every day.
    kEndsSoon,
    // New connections fail; told again every day. `Sight::status` says why.
    kUnusable,
  };

  struct Sight {
    News news = News::kNone;
    // Until the certificate ends; zero when the files cannot serve.
    absl::Duration left;
    absl::Status status;
  };

  explicit OwnCertificate(TlsFiles files) : files_(std::move(files)) {}

  // Reads the files, at most once in TlsFiles::refresh, and returns what they are worth at `now`.
  Sight Look(absl::Time now);

 private:
  // Reads the files; returns whether they hold another certificate than before.
  bool Read(absl::Time now);

  const TlsFiles files_;
  absl::Time read_at_ = absl::InfinitePast();
  absl::Status status_;
  absl::Time end_;
  // The certificate of the last look that found one that serves.
  std::string fingerprint_;
  // The last news that is repeated, and until when it is not.
  News told_ = News::kNone;
  absl::Time quiet_until_ = absl::InfinitePast();
};

}  // namespace waymark::hub
