#include "server/own_certificate.h"

#include <utility>

#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

constexpr absl::Duration kTellAgain = absl::Hours(24);

absl::StatusOr<Certificate> ReadCertificate(const TlsFiles& files) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(files.certificate_path));
  return Certificate::FromPem(pem);
}

}  // namespace

absl::Status CheckOwnCertificate(const TlsFiles& files, absl::Time now) {
  absl::Status status = CheckTlsFiles(files, now);
  if (status.ok()) return status;
  const absl::StatusOr<Certificate> certificate = ReadCertificate(files);
  if (!certificate.ok() || certificate->not_after() > now) return status;
  return Error(
      v1::REASON_IDENTITY_MISSING,
      files.certificate_path + ": the certificate ended at " +
          absl::FormatTime("%Y-%m-%d %H:%M UTC", certificate->not_after(), absl::UTCTimeZone()) +
          "; have the registry operator sign the hub's request again with 'waymark "
          "registry sign-hub' and put the new certificate in its place");
}

OwnCertificate::Sight OwnCertificate::Look(absl::Time now) {
  Sight sight;
  if (absl::AbsDuration(now - read_at_) >= files_.refresh && Read(now)) {
    sight.news = News::kReplaced;
    quiet_until_ = absl::InfinitePast();
  }
  // Between two readings time goes on.
  if (status_.ok() && end_ <= now) status_ = CheckOwnCertificate(files_, now);
  sight.status = status_;
  sight.left = status_.ok() ? end_ - now : absl::ZeroDuration();
  if (sight.left >= kWarnBefore) return sight;
  const News pressing = status_.ok() ? News::kEndsSoon : News::kUnusable;
  if (pressing == told_ && now < quiet_until_) return sight;
  sight.news = told_ = pressing;
  quiet_until_ = now + kTellAgain;
  return sight;
}

bool OwnCertificate::Read(absl::Time now) {
  read_at_ = now;
  status_ = CheckOwnCertificate(files_, now);
  if (!status_.ok()) return false;
  const absl::StatusOr<Certificate> certificate = ReadCertificate(files_);
  status_ = certificate.status();
  if (!status_.ok()) return false;
  end_ = certificate->not_after();
  const std::string before = std::exchange(fingerprint_, certificate->fingerprint());
  return !before.empty() && before != fingerprint_;
}

}  // namespace waymark::hub
