// What the originating unit does: ask about room, ask for a service, say yes, share, withdraw.
//
// Every message that speaks of a person is composed by composer.h, shown, confirmed by its digest
// and judged by the one evaluator before it is sealed. Thread-safe; the context outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/casework/cases.h"
#include "client/casework/composer.h"
#include "client/casework/context.h"
#include "client/casework/sender.h"
#include "client/casework/staff.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

class Origin {
 public:
  explicit Origin(const CaseworkContext& context) : context_(context), sender_(context) {}

  // Asks up to five services about room; says nothing about the person (AC1.1). EXCLUDED, and
  // FIELD_INVALID for a service of another code, name it by its handle; NOT_FOUND: it is not in the
  // directory. Repeated ids are ignored.
  absl::Status QueryCapacity(const Actor& actor, const v1::QueryCapacityRequest& request);
  absl::StatusOr<std::vector<v1::CapacityQueryRecord>> ListCapacityQueries(
      const Actor& actor, const std::optional<NeedId>& need);

  // Shows what would go and what holds it back.
  absl::StatusOr<v1::PreviewResponse> Preview(const Actor& actor,
                                              const v1::PreviewRequest& request);

  // Each sends exactly what the preview of this digest showed, or fails with the first rule that
  // holds it back; PREVIEW_REQUIRED when anything changed since.
  absl::StatusOr<v1::InquireResponse> Inquire(const Actor& actor,
                                              const v1::InquireRequest& request);
  absl::Status Disclose(const Actor& actor, const v1::DiscloseRequest& request);
  // Answers a question of the provider's with values. STATE_FORBIDS: none waits for an answer.
  // FIELD_INVALID: the question names no fields and the request neither, or nothing is noted.
  absl::Status Answer(const Actor& actor, const v1::AnswerRequest& request);

  // Tells the provider that the person said yes to the offer.
  absl::Status Accept(const Actor& actor, const v1::AcceptRequest& request);

  // Withdraws at once: nothing more leaves, the hub refuses the tokens, recipients are told to
  // erase. Returns the referrals concerned. Idempotent.
  absl::StatusOr<v1::WithdrawResponse> Withdraw(const Actor& actor,
                                                const v1::WithdrawRequest& request);

 private:
  // Everything that composing a message needs, loaded from one state of the vault.
  struct Draft {
    v1::Case person;
    v1::Need need;
    v1::ConsentRecord consent;
    const ServiceEntry* service = nullptr;
    // A new record for an inquiry.
    local::v1::Referral referral;
    v1::Sections earlier;
    Composition composition;
    // The answer that the values belong to, for a CLARIFICATION.
    v1::Clarification answer;
    v1::Stage stage = v1::STAGE_UNSPECIFIED;
  };

  absl::StatusOr<Draft> MakeDraft(const Reader& reader, const DirectorySnapshot& directory,
                                  const Actor& actor, const v1::PreviewRequest& request) const;
  absl::Status LoadInquiry(const Reader& reader, const DirectorySnapshot& directory,
                           const v1::PreviewRequest& request, Draft& draft) const;
  absl::Status LoadFollowUp(const Reader& reader, const DirectorySnapshot& directory,
                            const v1::PreviewRequest& request, Draft& draft) const;
  absl::Status AskAboutRoom(Transaction& transaction, const DirectorySnapshot& directory,
                            const CaseAndNeed& asked_for, const ServiceId& service_id,
                            const MessageId& message) const;
  absl::Status LoadAnswer(Draft& draft, std::set<uint32_t>& wanted) const;
  // Sends what was previewed and confirmed within a referral.
  absl::Status SendConfirmed(const Actor& actor, const std::string& message_id,
                             v1::PreviewRequest content, v1::Kind kind,
                             const std::string& digest) const;
  absl::Status CheckAskedAtOnce(const Reader& reader, const Draft& draft) const;
  absl::Status SendDraft(Transaction& transaction, const DirectorySnapshot& directory,
                         const MessageId& id, v1::Kind kind, Draft& draft) const;
  absl::Status WithdrawReferral(Transaction& transaction, const DirectorySnapshot& directory,
                                const std::vector<std::string>& consent_ids,
                                local::v1::Referral& referral) const;

  const CaseworkContext& context_;
  const Sender sender_;
};

}  // namespace waymark::node
