#include "server/registry/registry.h"

#include "base/crypto/hash.h"
#include "base/directory/enrolment.h"
#include "base/directory/pem.h"
#include "base/identity/authority.h"
#include "base/identity/certificate.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/base/directory/fixtures.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest()
      : authority_(*CertificateAuthority::Create(network_.id, absl::Hours(24 * 3650), clock_,
                                                 SystemRandom())),
        directory_(
            *Directory::Open(&store_, &clock_, network_.id, network_.registry.verifying_key())),
        registry_(&store_, directory_.get(), &clock_,
                  Network{network_.id,
                          "Sample",
                          authority_->certificate_pem(),
                          network_.registry.verifying_key(),
                          {"h:1"},
                          {"h:2"},
                          1}) {}

  v1::Reason Invite(absl::Duration validity = absl::Hours(72)) {
    v1::CreateInvitationRequest request;
    request.set_invitation_hash(InvitationHash(invitation_));
    request.set_organisation_id(lin_.id.bytes());
    request.set_expires_minute(MinuteOf(clock_.Now() + validity));
    return ReasonOf(registry_.CreateInvitation(request));
  }

  std::string RequestFor(const OrganisationId& organisation) {
    const SecretBytes key = GenerateTlsKey();
    const auto pem = CreateRequest(key, SpiffeId::Organisation(network_.id, organisation));
    return *DerFromPem(kPemCertificateRequest, *pem);
  }

  v1::RequestEnrolmentRequest Enrolment(const std::string& csr) {
    v1::RequestEnrolmentRequest request;
    request.set_invitation(invitation_);
    request.set_certificate_request(csr);
    request.set_identity_key(lin_.identity.verifying_key().spki());
    request.set_proof(SignEnrolment(lin_.identity, InvitationHash(invitation_), csr));
    return request;
  }
  v1::Reason Enrol(const v1::RequestEnrolmentRequest& request) {
    return ReasonOf(registry_.RequestEnrolment(request));
  }

  std::string Issue(const std::string& csr_der, const OrganisationId& organisation) {
    const auto csr = CertificateRequest::FromPem(PemFromDer(kPemCertificateRequest, csr_der));
    IssueOptions options{.id = SpiffeId::Organisation(network_.id, organisation)};
    options.validity = absl::Hours(24 * 90);
    return *DerFromPem(kPemCertificate, *authority_->Issue(*csr, options));
  }
  v1::ApproveEnrolmentRequest Approval(const std::string& csr) {
    v1::ApproveEnrolmentRequest request;
    request.set_request_id(EnrolmentRequestId(csr));
    request.set_certificate(Issue(csr, lin_.id));
    *request.mutable_member() = network_.ByRegistry(network_.Member(lin_));
    return request;
  }
  v1::Reason Approve(const v1::ApproveEnrolmentRequest& request) {
    return ReasonOf(registry_.ApproveEnrolment(request));
  }
  absl::StatusOr<v1::GetEnrolmentResponse> Get() {
    v1::GetEnrolmentRequest request;
    request.set_invitation(invitation_);
    return registry_.GetEnrolment(request);
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation stb_{"stb"};
  std::string invitation_ = std::string(16, 'i');
  FakeClock clock_{TestNow()};
  MemoryStore store_;
  std::unique_ptr<CertificateAuthority> authority_;
  std::unique_ptr<Directory> directory_;
  Registry registry_;
};

constexpr v1::Reason kOk = v1::REASON_UNSPECIFIED;

TEST_F(RegistryTest, FromInvitationToMember) {
  ASSERT_EQ(Invite(), kOk);
  EXPECT_EQ(ReasonOf(Get().status()), v1::REASON_NOT_FOUND);
  const std::string csr = RequestFor(lin_.id);
  ASSERT_EQ(Enrol(Enrolment(csr)), kOk);
  EXPECT_EQ(Get()->state(), v1::ENROLMENT_STATE_PENDING);
  const auto listed = registry_.ListEnrolments({});
  ASSERT_EQ(listed->enrolments_size(), 1);
  EXPECT_EQ(listed->enrolments(0).certificate_request(), csr);
  EXPECT_TRUE(VerifyEnrolment(lin_.identity.verifying_key(),
                              listed->enrolments(0).invitation_hash(), csr,
                              listed->enrolments(0).proof())
                  .ok())
      << "the operator can verify what the hub lists";

  const auto approval = Approval(csr);
  ASSERT_EQ(Approve(approval), kOk);
  EXPECT_EQ(Approve(approval), kOk) << "a repeat gets the same answer";
  EXPECT_EQ(Get()->state(), v1::ENROLMENT_STATE_APPROVED);
  EXPECT_EQ(Get()->certificate(), approval.certificate());
  EXPECT_NE(directory_->membership()->Find(lin_.id), nullptr);
  EXPECT_EQ(registry_.ListMembers({})->members_size(), 1);
  EXPECT_EQ(registry_.ListEnrolments({})->enrolments_size(), 0);
}

TEST_F(RegistryTest, InvitationsLastAtMost72HoursAndAreIdempotent) {
  EXPECT_EQ(Invite(absl::Hours(73)), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(Invite(absl::ZeroDuration()), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(Invite(absl::Hours(72)), kOk);
  EXPECT_EQ(Invite(absl::Hours(72)), kOk);
  EXPECT_EQ(Invite(absl::Hours(71)), v1::REASON_EXISTS);
}

TEST_F(RegistryTest, InvitationIsForOneUseAndOneTime) {
  const std::string csr = RequestFor(lin_.id);
  EXPECT_EQ(Enrol(Enrolment(csr)), v1::REASON_INVITATION_INVALID);
  ASSERT_EQ(Invite(), kOk);
  clock_.Advance(absl::Hours(72));
  EXPECT_EQ(Enrol(Enrolment(csr)), v1::REASON_INVITATION_INVALID);
  clock_.Advance(-absl::Hours(1));
  EXPECT_EQ(Enrol(Enrolment(csr)), kOk);
  EXPECT_EQ(Enrol(Enrolment(csr)), kOk) << "the same request again";
  EXPECT_EQ(Enrol(Enrolment(RequestFor(lin_.id))), v1::REASON_INVITATION_INVALID);
}

TEST_F(RegistryTest, RequestMustFitTheInvitationAndTheProof) {
  ASSERT_EQ(Invite(), kOk);
  EXPECT_EQ(Enrol(Enrolment(RequestFor(stb_.id))), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(Enrol(Enrolment("not a request")), v1::REASON_FIELD_INVALID);
  auto request = Enrolment(RequestFor(lin_.id));
  request.set_identity_key(stb_.identity.verifying_key().spki());
  EXPECT_EQ(Enrol(request), v1::REASON_SIGNATURE_INVALID);
}

TEST_F(RegistryTest, ApprovalMustFitTheRequest) {
  ASSERT_EQ(Invite(), kOk);
  const std::string csr = RequestFor(lin_.id);
  ASSERT_EQ(Enrol(Enrolment(csr)), kOk);

  auto unknown = Approval(csr);
  unknown.set_request_id(std::string(32, 'x'));
  EXPECT_EQ(Approve(unknown), v1::REASON_NOT_FOUND);

  auto other_key = Approval(csr);
  other_key.set_certificate(Issue(RequestFor(lin_.id), lin_.id));
  EXPECT_EQ(Approve(other_key), v1::REASON_FINGERPRINT_MISMATCH);

  auto other_member = Approval(csr);
  *other_member.mutable_member() = network_.ByRegistry(network_.Member(stb_));
  EXPECT_EQ(Approve(other_member), v1::REASON_FINGERPRINT_MISMATCH);

  auto other_identity = Approval(csr);
  v1::Statement statement = network_.Member(lin_);
  statement.mutable_member()->set_identity_key(stb_.identity.verifying_key().spki());
  *other_identity.mutable_member() = network_.ByRegistry(statement);
  EXPECT_EQ(Approve(other_identity), v1::REASON_FINGERPRINT_MISMATCH);

  auto no_member = Approval(csr);
  no_member.clear_member();
  EXPECT_EQ(Approve(no_member), v1::REASON_FIELD_INVALID);

  const auto stranger =
      *CertificateAuthority::Create(network_.id, absl::Hours(24), clock_, SystemRandom());
  const auto parsed = CertificateRequest::FromPem(PemFromDer(kPemCertificateRequest, csr));
  IssueOptions options{.id = SpiffeId::Organisation(network_.id, lin_.id)};
  options.validity = absl::Hours(1);
  auto foreign = Approval(csr);
  foreign.set_certificate(*DerFromPem(kPemCertificate, *stranger->Issue(*parsed, options)));
  EXPECT_EQ(Approve(foreign), v1::REASON_IDENTITY_MISSING);

  EXPECT_EQ(directory_->membership()->Find(lin_.id), nullptr);
  EXPECT_EQ(Approve(Approval(csr)), kOk);
}

TEST_F(RegistryTest, APresentMemberIsAdmittedAgainUnderItsId) {
  ASSERT_EQ(Invite(), kOk);
  const std::string first = RequestFor(lin_.id);
  ASSERT_EQ(Enrol(Enrolment(first)), kOk);
  ASSERT_EQ(Approve(Approval(first)), kOk);
  const std::string renewal = RequestFor(lin_.id);
  v1::RequestRenewalRequest renew;
  renew.set_certificate_request(renewal);
  renew.set_proof(SignRenewal(lin_.identity, renewal));
  ASSERT_EQ(ReasonOf(registry_.RequestRenewal(lin_.id, renew)), kOk);

  // Its vault is lost: it comes with another identity key.
  invitation_ = std::string(16, 'j');
  lin_.identity = SigningKey::Generate();
  ASSERT_EQ(Invite(), kOk);
  const std::string again = RequestFor(lin_.id);
  ASSERT_EQ(Enrol(Enrolment(again)), kOk);
  v1::ApproveEnrolmentRequest approval = Approval(again);
  *approval.mutable_member() = network_.ByRegistry(network_.Member(lin_, 2));
  ASSERT_EQ(Approve(approval), kOk);
  EXPECT_EQ(Get()->certificate(), approval.certificate());
  EXPECT_EQ(directory_->state().FindMember(lin_.id)->member.identity_key(),
            lin_.identity.verifying_key().spki());
  EXPECT_EQ(registry_.GetRenewal(lin_.id)->state(), v1::ENROLMENT_STATE_REJECTED)
      << "what was asked for with the keys before";
}

TEST_F(RegistryTest, DecisionsAreFinal) {
  ASSERT_EQ(Invite(), kOk);
  const std::string csr = RequestFor(lin_.id);
  ASSERT_EQ(Enrol(Enrolment(csr)), kOk);
  v1::RejectEnrolmentRequest reject;
  reject.set_request_id(EnrolmentRequestId(csr));
  EXPECT_EQ(ReasonOf(registry_.RejectEnrolment(reject)), kOk);
  EXPECT_EQ(ReasonOf(registry_.RejectEnrolment(reject)), kOk);
  EXPECT_EQ(Get()->state(), v1::ENROLMENT_STATE_REJECTED);
  EXPECT_EQ(Approve(Approval(csr)), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(directory_->membership()->Find(lin_.id), nullptr);
}

TEST_F(RegistryTest, RenewalIsForMembersAndReplacesAPendingOne) {
  const auto renew = [&](const std::string& csr) {
    v1::RequestRenewalRequest request;
    request.set_certificate_request(csr);
    request.set_proof(SignRenewal(lin_.identity, csr));
    return ReasonOf(registry_.RequestRenewal(lin_.id, request));
  };
  const std::string first = RequestFor(lin_.id);
  EXPECT_EQ(renew(first), v1::REASON_MEMBER_UNKNOWN);
  ASSERT_TRUE(directory_->PublishMember(network_.ByRegistry(network_.Member(lin_))).ok());
  EXPECT_EQ(ReasonOf(registry_.GetRenewal(lin_.id).status()), v1::REASON_NOT_FOUND);
  ASSERT_EQ(renew(first), kOk);
  EXPECT_EQ(renew(first), kOk);
  EXPECT_EQ(renew(RequestFor(stb_.id)), v1::REASON_FIELD_INVALID);
  clock_.Advance(absl::Minutes(1));
  const std::string second = RequestFor(lin_.id);
  ASSERT_EQ(renew(second), kOk);
  EXPECT_EQ(registry_.ListEnrolments({})->enrolments_size(), 1);

  v1::ApproveEnrolmentRequest approval;
  approval.set_request_id(EnrolmentRequestId(second));
  approval.set_certificate(Issue(second, lin_.id));
  ASSERT_EQ(Approve(approval), kOk);
  EXPECT_EQ(registry_.GetRenewal(lin_.id)->state(), v1::ENROLMENT_STATE_APPROVED);
  EXPECT_EQ(registry_.GetRenewal(lin_.id)->certificate(), approval.certificate());
}

TEST_F(RegistryTest, WhatWaitsComesInPages) {
  constexpr int kRequests = 7;
  constexpr size_t kLarge = 300 * 1024;
  std::vector<std::string> put;
  for (int i = 0; i < kRequests; ++i) {
    // Two in each minute, the later id first.
    const std::string id(32, static_cast<char>('z' - i));
    v1::Enrolment enrolment;
    enrolment.set_request_id(id);
    enrolment.set_certificate_request(std::string(kLarge, 'c'));
    EnrolmentRow row;
    row.request_id = id;
    row.organisation = lin_.id;
    row.state = v1::ENROLMENT_STATE_PENDING;
    row.requested_at = clock_.Now() + absl::Minutes(i / 2);
    row.request = enrolment.SerializeAsString();
    ASSERT_TRUE(store_.PutEnrolment(row).ok());
    put.push_back(id);
  }
  std::vector<std::string> listed;
  int pages = 0;
  v1::ListEnrolmentsRequest request;
  do {
    const auto page = registry_.ListEnrolments(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->ByteSizeLong(), size_t{1} << 20);
    for (const v1::Enrolment& enrolment : page->enrolments())
      listed.push_back(enrolment.request_id());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(put)) << "each once";
  EXPECT_EQ(listed.back(), put.back()) << "oldest first";
}

TEST_F(RegistryTest, APageTokenIsOneThatWasGiven) {
  v1::ListEnrolmentsRequest enrolments;
  enrolments.set_page_token("next");
  EXPECT_EQ(ReasonOf(registry_.ListEnrolments(enrolments).status()), v1::REASON_FIELD_INVALID);
  v1::ListMembersRequest members;
  members.set_page_token("next");
  EXPECT_EQ(ReasonOf(registry_.ListMembers(members).status()), v1::REASON_FIELD_INVALID);
}

}  // namespace
}  // namespace waymark::hub
