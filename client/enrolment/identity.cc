#include "client/enrolment/identity.h"

#include <string_view>

#include "base/status/status.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

constexpr std::string_view kKeySetting = "identity-key";
constexpr std::string_view kAdmissionSetting = "admission";
constexpr std::string_view kInvitationSetting = "admission.invitation";

}  // namespace

absl::StatusOr<SigningKey> LoadIdentityKey(const Vault& vault) {
  std::optional<SecretBytes> pem;
  RETURN_IF_ERROR(vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(pem, reader.GetSetting(kKeySetting));
    return absl::OkStatus();
  }));
  if (!pem.has_value()) return Error(v1::REASON_NOT_FOUND, "the vault has no identity key");
  return SigningKey::FromPem(*pem);
}

absl::StatusOr<SigningKey> MakeIdentityKey(Vault& vault) {
  absl::StatusOr<SigningKey> stored = LoadIdentityKey(vault);
  if (stored.ok() || ReasonOf(stored.status()) != v1::REASON_NOT_FOUND) return stored;
  SigningKey key = SigningKey::Generate();
  const SecretBytes pem = key.ToPem();
  RETURN_IF_ERROR(
      vault.Write([&](Transaction& t) { return t.PutSetting(kKeySetting, pem.view()); }));
  return key;
}

absl::Status StoreAdmission(Vault& vault, const v1::Member& member, std::string_view invitation) {
  return vault.Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(PutSettingMessage(t, kAdmissionSetting, member));
    return t.PutSetting(kInvitationSetting, invitation);
  });
}

absl::StatusOr<bool> AdmittedBy(const Vault& vault, std::string_view invitation) {
  std::optional<SecretBytes> stored;
  RETURN_IF_ERROR(vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(stored, reader.GetSetting(kInvitationSetting));
    return absl::OkStatus();
  }));
  return stored.has_value() && stored->view() == invitation;
}

absl::StatusOr<std::optional<v1::Member>> LoadAdmission(const Vault& vault) {
  std::optional<v1::Member> member;
  RETURN_IF_ERROR(vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(member, GetSettingAs<v1::Member>(reader, kAdmissionSetting));
    return absl::OkStatus();
  }));
  return member;
}

}  // namespace waymark::node
