// The registry operator's side of a network: the keys that vouch, and what they are used for.
//
// One folder on the operator's own machine holds them; neither the hub nor any member ever does:
//
//   ca.key ca.crt              the certificate authority
//   registry.key               signs member statements
//   operator.key operator.crt  lets the operator in at the hub
//   network.json               the network file, to hand to the hub; invitations carry it
//   invited/<organisation>     what an invited organisation will be, until it is approved
//
// Collaborators: RegistryDesk carries requests to the hub. Not thread-safe; clock and random
// outlive it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/network.h"
#include "base/identity/authority.h"
#include "base/random/random.h"
#include "base/schema/catalogue.h"
#include "base/time/clock.h"
#include "client/operator/desk.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::node {

// How long what the operator signs counts.
inline constexpr absl::Duration kAuthorityLifetime = absl::Hours(24 * 3650);
inline constexpr absl::Duration kCertificateLifetime = absl::Hours(24 * 90);
inline constexpr absl::Duration kStatementLifetime = absl::Hours(24 * 8);
inline constexpr absl::Duration kInvitationLifetime = absl::Hours(72);

// A new network.
struct NetworkPlan {
  std::string name;
  std::vector<std::string> hub_addresses;
  std::vector<std::string> enrolment_addresses;
};

// A unit of an organisation to be invited: "family" and "Linden House, family rooms".
struct UnitPlan {
  std::string name;
  std::string display_name;
};

// An organisation to be invited.
struct MemberPlan {
  std::string handle;
  std::string display_name;
  v1::OrganisationClass organisation_class = v1::ORGANISATION_CLASS_UNSPECIFIED;
  std::string jurisdiction;
  std::string policy_pack;
  std::vector<UnitPlan> units;
};

// A request that waits for the operator.
struct PendingRequest {
  std::string id;  // hexadecimal
  std::string member_handle;
  bool renewal = false;
  // An admission of a present member, and whether it brings another identity key than the member
  // has.
  bool again = false;
  bool other_key = false;
  absl::Time requested_at;
};

// A member as the hub knows it.
struct MemberView {
  OrganisationId organisation;
  v1::Member member;
  uint64_t version = 0;
  absl::Time valid_until;
};

// What Refresh did.
struct RefreshResult {
  int statements = 0;
  int certificates = 0;
};

class Operator {
 public:
  // Creates the folder with all keys and the network file. EXISTS: there is a network in it
  // already; FILE_UNUSABLE: it cannot be written; FIELD_INVALID: the plan.
  static absl::StatusOr<std::unique_ptr<Operator>> Create(const std::string& folder,
                                                          const NetworkPlan& plan, Clock& clock,
                                                          Random& random);

  // Opens the folder. FILE_UNUSABLE names the file that is missing or does not fit the others.
  static absl::StatusOr<std::unique_ptr<Operator>> Open(const std::string& folder, Clock& clock,
                                                        Random& random);

  const Network& network() const { return network_; }
  // Paths of the operator's own TLS files.
  std::string key_path() const;
  std::string certificate_path() const;
  std::string ca_path() const;
  std::string network_path() const;

  // Issues the hub's certificate from its request (PEM). FIELD_INVALID: it is not a hub's request
  // of this network.
  absl::StatusOr<std::string> SignHub(const std::string& request_pem,
                                      const std::vector<std::string>& dns_names,
                                      const std::vector<std::string>& ip_addresses) const;

  // Announces an invitation and returns its text, which holds a secret. FIELD_INVALID,
  // ENUM_UNKNOWN: the plan, whose policy pack `catalogue` has; EXISTS: a member has the handle.
  absl::StatusOr<std::string> Invite(RegistryDesk& desk, const MemberPlan& plan,
                                     const Catalogue& catalogue = Catalogue::Default());

  // The same for a present member, under its id: for one whose certificate has ended or whose keys
  // are lost. Until the approval it stays as it is. NOT_FOUND: no member has the handle.
  absl::StatusOr<std::string> InviteAgain(RegistryDesk& desk, const std::string& handle);

  // What waits. Requests whose proof does not hold are shown with an empty handle.
  absl::StatusOr<std::vector<PendingRequest>> Requests(RegistryDesk& desk);

  // Signs what a request asks for, after a person compared the fingerprint that the organisation
  // reads out. `id` may be the first digits. A present member keeps units and standing. NOT_FOUND;
  // FINGERPRINT_MISMATCH: nothing was signed.
  absl::Status Approve(RegistryDesk& desk, const std::string& id, const std::string& fingerprint);
  absl::Status Reject(RegistryDesk& desk, const std::string& id);

  absl::StatusOr<std::vector<MemberView>> Members(RegistryDesk& desk);

  // Publishes another standing of the member; a suspension takes effect before this returns.
  absl::Status SetStatus(RegistryDesk& desk, const std::string& handle, v1::MemberStatus status);

  // Signs again what runs out within half its life, and renews certificates that active members ask
  // for with the identity key that the registry knows. Meant to run daily.
  absl::StatusOr<RefreshResult> Refresh(RegistryDesk& desk);

 private:
  Operator(std::string folder, Network network, std::unique_ptr<CertificateAuthority> authority,
           SigningKey registry_key, Clock& clock, Random& random);

  absl::StatusOr<MemberView> FindMember(RegistryDesk& desk, const std::string& handle);
  // What waits, all pages of it.
  static absl::StatusOr<std::vector<v1::Enrolment>> Enrolments(RegistryDesk& desk);
  // Reads a member's statement, if this operator signed it.
  absl::StatusOr<MemberView> ReadMember(const v1::SignedStatement& signed_statement) const;
  absl::StatusOr<std::string> Announce(RegistryDesk& desk, const OrganisationId& organisation,
                                       const v1::Member& member);
  absl::StatusOr<v1::Enrolment> FindRequest(RegistryDesk& desk, const std::string& id);
  absl::StatusOr<v1::Member> InvitedMember(const OrganisationId& organisation) const;
  absl::StatusOr<std::string> IssueFor(const v1::Enrolment& enrolment) const;
  absl::Status CheckProof(const v1::Enrolment& enrolment) const;
  v1::SignedStatement SignMember(const OrganisationId& organisation, const v1::Member& member,
                                 uint64_t previous_version) const;

  const std::string folder_;
  const Network network_;
  const std::unique_ptr<CertificateAuthority> authority_;
  const SigningKey registry_key_;
  Clock& clock_;
  Random& random_;
  // By the signed statement's bytes: what the last listing of the members verified.
  using Verified = absl::flat_hash_map<std::string, MemberView>;
  Verified verified_;
};

}  // namespace waymark::node
