// The hub's desk and the registry operator behind it, without a hub.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/directory/enrolment.h"
#include "base/directory/pem.h"
#include "base/directory/statement.h"
#include "base/identity/certificate.h"
#include "base/status/status.h"
#include "client/link/enrolment_desk.h"
#include "tests/support/test_network.h"
#include "waymark/v1/invitation.pb.h"

namespace waymark::node {

// A network with one organisation that was invited. Decides as its methods say; checks proofs as
// the hub does.
class FakeDesk final : public InvitationDesk, public RenewalDesk {
 public:
  explicit FakeDesk(absl::Time now, uint32_t seed = 7) : network_(seed, now) {
    organisation_ = OrganisationId::Generate(network_.random());
    secret_ = network_.random().Bytes(kInvitationSize);
  }

  FakeClock& clock() { return network_.clock(); }
  SpiffeId id() const { return SpiffeId::Organisation(network_.id(), organisation_); }

  v1::Invitation Invitation() {
    v1::Invitation invitation;
    v1::Network& network = *invitation.mutable_network();
    network.set_network_id(network_.id().bytes());
    network.set_name("test");
    network.set_ca_certificate(*DerFromPem(kPemCertificate, network_.ca_pem()));
    network.set_registry_key(registry_.verifying_key().spki());
    network.add_hub_addresses("127.0.0.1:1");
    network.add_enrolment_addresses("127.0.0.1:2");
    network.set_version(1);
    invitation.set_secret(secret_);
    invitation.set_organisation_id(organisation_.bytes());
    invitation.mutable_member()->set_handle("lin");
    return invitation;
  }

  // The same organisation is invited once more; what was asked under the invitation before is over.
  void InviteAgain() {
    secret_ = network_.random().Bytes(kInvitationSize);
    request_.Clear();
    answer_.Clear();
  }

  // The fingerprint that the operator sees with the request.
  std::string fingerprint() const {
    return VerifyingKey::FromSpki(request_.identity_key())->fingerprint();
  }
  int requests() const { return requests_; }

  void Approve() {
    answer_.set_state(v1::ENROLMENT_STATE_APPROVED);
    answer_.set_certificate(Issue(request_.certificate_request(), id()));
    *answer_.mutable_member() = SignMember(request_.identity_key());
  }
  void Reject() { answer_.set_state(v1::ENROLMENT_STATE_REJECTED); }
  v1::GetEnrolmentResponse& answer() { return answer_; }

  v1::SignedStatement SignMember(const std::string& identity_key) {
    const int64_t minute = absl::ToUnixSeconds(clock().Now()) / 60;
    v1::Statement statement;
    statement.set_network_id(network_.id().bytes());
    statement.set_organisation_id(organisation_.bytes());
    statement.set_version(1);
    statement.set_issued_minute(minute);
    statement.set_valid_until_minute(minute + 7 * 24 * 60);
    v1::Member& member = *statement.mutable_member();
    member.set_handle("lin");
    member.set_display_name("Linden House");
    member.set_organisation_class(v1::ORGANISATION_CLASS_NGO);
    member.set_jurisdiction("XA");
    member.set_policy_pack("us-vsp");
    member.set_status(v1::MEMBER_STATUS_ACTIVE);
    member.set_identity_key(identity_key);
    v1::Unit& unit = *member.add_units();
    unit.set_unit_id(UnitId::Generate(network_.random()).bytes());
    unit.set_handle("lin.family");
    unit.set_display_name("Family rooms");
    member.mutable_member_since()->set_year(2026);
    member.mutable_member_since()->set_month(1);
    member.mutable_member_since()->set_day(2);
    return SignStatement(statement, registry_);
  }

  std::string Issue(const std::string& request_der, const SpiffeId& id) {
    const auto request =
        *CertificateRequest::FromPem(PemFromDer(kPemCertificateRequest, request_der));
    return *DerFromPem(kPemCertificate, *network_.authority().Issue(
                                            request, {.id = id, .validity = absl::Hours(24 * 90)}));
  }

  absl::Status RequestEnrolment(const v1::RequestEnrolmentRequest& request) override {
    ++requests_;
    if (request.invitation() != secret_) {
      return Error(v1::REASON_INVITATION_INVALID, "the invitation is unknown");
    }
    if (!request_.certificate_request().empty() &&
        request_.certificate_request() != request.certificate_request()) {
      return Error(v1::REASON_INVITATION_INVALID, "the invitation was used for another request");
    }
    ASSIGN_OR_RETURN(const VerifyingKey key, VerifyingKey::FromSpki(request.identity_key()));
    RETURN_IF_ERROR(VerifyEnrolment(key, InvitationHash(secret_), request.certificate_request(),
                                    request.proof()));
    request_ = request;
    if (answer_.state() == v1::ENROLMENT_STATE_UNSPECIFIED) {
      answer_.set_state(v1::ENROLMENT_STATE_PENDING);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<v1::GetEnrolmentResponse> GetEnrolment(const v1::GetEnrolmentRequest&) override {
    return answer_;
  }

  void ApproveRenewal() {
    renewal_.set_state(v1::ENROLMENT_STATE_APPROVED);
    renewal_.set_certificate(Issue(renewal_request_, id()));
  }
  v1::GetRenewalResponse& renewal() { return renewal_; }
  const std::string& renewal_request() const { return renewal_request_; }

  absl::Status RequestRenewal(const v1::RequestRenewalRequest& request) override {
    RETURN_IF_ERROR(VerifyRenewal(*VerifyingKey::FromSpki(request_.identity_key()),
                                  request.certificate_request(), request.proof()));
    if (renewal_request_ == request.certificate_request()) return absl::OkStatus();
    renewal_request_ = request.certificate_request();
    renewal_.set_state(v1::ENROLMENT_STATE_PENDING);
    return absl::OkStatus();
  }

  absl::StatusOr<v1::GetRenewalResponse> GetRenewal() override { return renewal_; }

 private:
  TestNetwork network_;
  const SigningKey registry_ = SigningKey::Generate();
  OrganisationId organisation_;
  std::string secret_;
  int requests_ = 0;
  v1::RequestEnrolmentRequest request_;
  v1::GetEnrolmentResponse answer_;
  std::string renewal_request_;
  v1::GetRenewalResponse renewal_;
};

}  // namespace waymark::node
