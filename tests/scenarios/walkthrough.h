// The steps of scenario 1, walked by the staff of real nodes.
//
// Each step moves the network's clock to its time, does what the staff does over the nodes' local
// API, and waits until the other side has it. Ids are drawn from the given randomness, so that two
// walks with one seed use the same. Not thread-safe; what it is given outlives it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/random/random.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/network_fixture.h"
#include "waymark/v1/node.pb.h"

namespace waymark::testing {

using NodeStub = v1::NodeService::StubInterface;

class Walkthrough {
 public:
  Walkthrough(NetworkFixture& network, Random& random, Person person);

  // 19:41. The case with what she said, her exclusion and her needs in order of rank.
  absl::Status OpenCase();
  // Step 1. Asks lin and bea whether there is room, and waits for both answers.
  absl::Status AskForRoom();
  // Step 2. Consent c-a, inquiry, offer, acceptance and start of the interpreter.
  absl::Status RecordInterpreterConsent();
  absl::Status InquireInterpreter();
  absl::Status InterpreterAnswersAndStarts();
  // Step 3. Consent c-b and the two inquiries under it.
  absl::Status RecordInquiryConsent();
  absl::Status InquireRooms();
  // Step 4. bea declines, lin offers.
  absl::Status RoomsAnswer();
  // Step 5. Consent c-c, acceptance, and what unlocks with it.
  absl::Status Decide();
  absl::Status DiscloseAtAcceptance();
  // Step 6. Where to meet; the start; what unlocks with it.
  absl::Status Schedule();
  absl::Status Start();
  absl::Status DiscloseAtStart();
  // Step 7. The next morning.
  absl::Status ReportProgress();
  // All of it.
  absl::Status WalkAll();

  // The consents as they are recorded, not yet read back; their ids stay the same.
  v1::ConsentRecord InterpreterConsent() const;
  v1::ConsentRecord InquiryConsent() const;
  v1::ConsentRecord RoomConsent() const;
  // Reads a consent back to the person and records it.
  absl::Status Record(const v1::ConsentRecord& consent);

  // What an inquiry about `service` for `need` would say under `consent`.
  v1::PreviewRequest InquiryContent(const std::string& need, const std::string& service,
                                    const v1::ConsentRecord& consent) const;
  // Previews and sends an inquiry under a new referral of this name, without waiting.
  absl::Status Inquire(const std::string& referral, const v1::PreviewRequest& content);
  absl::Status Disclose(const std::string& referral, const v1::ConsentRecord& consent);

  // The case, its needs ("interpreter", "room", "bed") and its referrals ("bwi", "bea", "lin"), or
  // any other name: the same name always gives the same id.
  const std::string& Id(const std::string& name);

  // The referral as a node's caseworker sees it.
  absl::StatusOr<v1::GetReferralResponse> View(const std::string& node,
                                               const std::string& referral);
  // Waits until the node's referral is in this state.
  absl::Status AwaitState(const std::string& node, const std::string& referral,
                          const std::string& state);
  // Waits until everything that the node sent about the referral has a receipt.
  absl::Status AwaitReceipts(const std::string& node, const std::string& referral);
  // Waits until the node has a message of this kind in its referral.
  absl::Status AwaitKind(const std::string& node, const std::string& referral, v1::Kind kind);

  NetworkFixture& network() { return network_; }
  node::NodeClient& lead() { return network_.node("qso").caseworker(); }
  const Person& person() const { return person_; }

 private:
  v1::ConsentRecord Consent(const std::string& name, absl::Time from, absl::Time until) const;
  absl::Status PutNeed(const std::string& name, uint32_t code, uint32_t rank,
                       const v1::NeedSection& section);
  absl::Status SendOffer(const std::string& node, absl::Time start, absl::Time hold_until,
                         const std::vector<std::string>& conditions);
  absl::Status SendStart(const std::string& node);
  absl::Status SendAccept(const std::string& referral, const v1::ConsentRecord& consent);

  NetworkFixture& network_;
  Random& random_;
  const Person person_;
  std::map<std::string, std::string> ids_;
};

// 16 random bytes: a new id of any kind.
std::string NewId(Random& random);

}  // namespace waymark::testing
