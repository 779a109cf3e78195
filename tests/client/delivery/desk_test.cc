#include "client/delivery/desk.h"

#include "base/status/status.h"
#include "client/delivery/commands.h"
#include "client/delivery/rules.h"
#include "client/vault/typed.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"
#include "tests/client/delivery/fake_system.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

using local::v1::Delivery;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() {
    LocalTarget target;
    target.name = "beds";
    target.connector = &system_;
    target.outward = MappingProgram{"out.jq", "."};
    delivery_ = std::make_unique<LocalDelivery>(std::vector{target}, office_.clock);
    desk_ = std::make_unique<LocalDesk>(office_.context, *delivery_);
  }

  // A delivery of a referral that the unit lin was asked for.
  Delivery Stored(local::v1::LocalState state, std::string_view connector = "beds") {
    const auto referral = office_.Referral(NodeState::kAccepted, /*originated=*/false);
    Delivery delivery = NewDelivery(*ReferralId::FromBytes(referral.referral_id()), connector);
    delivery.set_task(local::v1::LOCAL_TASK_PUT);
    delivery.set_state(state);
    delivery.set_generation(1);
    delivery.set_reason(v1::REASON_LOCAL_SYSTEM_REFUSED);
    delivery.set_attempts(3);
    office_.Write([&](Transaction& t) { return SaveDelivery(t, delivery); });
    return delivery;
  }
  std::string RefusedItem(const std::string& referral_id) {
    local::v1::RefusedFeedItem item;
    item.set_item_id(std::string(15, 'i') + (referral_id.empty() ? "0" : "1"));
    item.set_connector("beds");
    item.set_item("{\"said\":\"something\"}");
    item.set_referral_id(referral_id);
    item.add_findings()->set_text("is no number");
    office_.Write([&](Transaction& t) {
      return PutMessage(t, DocumentKind::kRefusedItem, *ItemId::FromBytes(item.item_id()), {},
                        item);
    });
    return item.item_id();
  }
  int Listed(const Actor& actor, bool all = true) {
    v1::ListDeliveriesRequest request;
    request.set_all(all);
    const auto listed = desk_->List(actor, request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.ok() ? listed->deliveries_size() : -1;
  }
  v1::Reason Resolve(const Actor& actor, const Delivery& delivery, v1::LocalSighting sighting) {
    v1::ResolveDeliveryRequest request;
    request.set_delivery_id(delivery.delivery_id());
    request.set_sighting(sighting);
    return ReasonOf(desk_->Resolve(actor, request));
  }
  absl::StatusOr<v1::ReplayDeliveryResponse> Replay(const Actor& actor, const std::string& id,
                                                    const std::string& connector = "") {
    v1::ReplayDeliveryRequest request;
    request.set_delivery_id(id);
    request.set_connector(connector);
    return desk_->Replay(actor, request);
  }

  Office office_;
  TempFolder records_;
  FakeSystem system_{records_.path(), true};
  std::unique_ptr<LocalDelivery> delivery_;
  std::unique_ptr<LocalDesk> desk_;
  const Actor administrator_{.name = "ada", .role = v1::STAFF_ROLE_ADMINISTRATOR, .units = {}};
  const Actor caseworker_{
      .name = "cas", .role = v1::STAFF_ROLE_CASEWORKER, .units = {office_.lin.unit}};
  const Actor other_{.name = "oli", .role = v1::STAFF_ROLE_CASEWORKER, .units = {office_.qso.unit}};
  const Actor driver_{.name = "dan", .role = v1::STAFF_ROLE_LOGISTICS, .units = {office_.lin.unit}};
};

TEST_F(DeskTest, ShowsWhatStandsInTheVault) {
  for (int state = local::v1::LocalState_MIN + 1; state <= local::v1::LocalState_MAX; ++state) {
    EXPECT_EQ("LOCAL_DELIVERY_" +
                  local::v1::LocalState_Name(state).substr(std::string_view("LOCAL_").size()),
              v1::LocalDeliveryState_Name(state));
  }
  EXPECT_EQ(static_cast<int>(local::v1::LOCAL_TASK_PUT), v1::LOCAL_DELIVERY_TASK_WRITE);
  EXPECT_EQ(static_cast<int>(local::v1::LOCAL_TASK_ERASE), v1::LOCAL_DELIVERY_TASK_ERASE);

  const Delivery delivery = Stored(local::v1::LOCAL_STATE_UNCERTAIN);
  const auto listed = desk_->List(administrator_, {});
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->deliveries_size(), 1);
  const v1::LocalDelivery& shown = listed->deliveries(0);
  EXPECT_EQ(shown.state(), v1::LOCAL_DELIVERY_STATE_UNCERTAIN);
  EXPECT_EQ(shown.key(), ReferralId::FromBytes(delivery.referral_id())->hex());
  EXPECT_EQ(shown.attempts(), 3);
  EXPECT_THAT(shown.cure(), HasSubstr("Look in the local system"));
}

TEST_F(DeskTest, EachSeesAndDecidesWhatIsTheirs) {
  const Delivery delivery = Stored(local::v1::LOCAL_STATE_DEAD);
  EXPECT_EQ(Listed(administrator_), 1);
  EXPECT_EQ(Listed(caseworker_), 1);
  EXPECT_EQ(Listed(other_), 0);
  EXPECT_EQ(ReasonOf(desk_->List(driver_, {}).status()), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(Replay(other_, delivery.delivery_id()).status()),
            v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(Replay(caseworker_, "").status()), v1::REASON_STAFF_NOT_ALLOWED)
      << "all of them are not one unit's";
  const auto replayed = Replay(caseworker_, delivery.delivery_id());
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->replayed(), 1);
}

TEST_F(DeskTest, AllThatWereGivenUpAreTriedAgainByConnector) {
  Stored(local::v1::LOCAL_STATE_DEAD);
  Stored(local::v1::LOCAL_STATE_DEAD);
  Stored(local::v1::LOCAL_STATE_DEAD, "gone");
  Stored(local::v1::LOCAL_STATE_UNCERTAIN);
  EXPECT_EQ(Replay(administrator_, "", "beds")->replayed(), 2);
  const absl::Status unknown = Replay(administrator_, "", "gone").status();
  EXPECT_EQ(ReasonOf(unknown), v1::REASON_NOT_FOUND);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("there are: beds"));
  EXPECT_EQ(ReasonOf(Replay(administrator_, std::string(16, 'x')).status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(Replay(administrator_, "short").status()), v1::REASON_FIELD_INVALID);
}

TEST_F(DeskTest, APersonsWordEndsADoubt) {
  const Delivery doubtful = Stored(local::v1::LOCAL_STATE_UNCERTAIN);
  EXPECT_EQ(Resolve(caseworker_, doubtful, v1::LOCAL_SIGHTING_UNSPECIFIED),
            v1::REASON_ENUM_UNKNOWN);
  EXPECT_EQ(Resolve(other_, doubtful, v1::LOCAL_SIGHTING_THERE), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(Resolve(caseworker_, doubtful, v1::LOCAL_SIGHTING_THERE), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Resolve(caseworker_, doubtful, v1::LOCAL_SIGHTING_THERE), v1::REASON_STATE_FORBIDS);
}

// A system that was taken out of the settings has nobody else who would say that it is erased.
TEST_F(DeskTest, TheLastWordAboutASystemThatIsGoneIsAcknowledged) {
  office_.PublishPartner();
  office_.Watch();
  CaseworkContext context = office_.context;
  context.local_copies = &delivery_->planner();
  LocalDesk desk(context, *delivery_);
  Delivery delivery = Stored(local::v1::LOCAL_STATE_DONE, "gone");
  delivery.set_may_be_there(true);
  office_.Write([&](Transaction& t) { return SaveDelivery(t, delivery); });
  office_.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(auto referral,
                     LoadReferral(t, *ReferralId::FromBytes(delivery.referral_id())));
    local::v1::Event& revoke = *referral.add_events();
    revoke.set_message_id(std::string(16, 'r'));
    revoke.set_kind(v1::KIND_REVOKE);
    revoke.set_token_hash(referral.tokens(0).hash());
    referral.set_state("WITHDRAWN");
    referral.set_erased_at_ms(ToMillis(office_.clock.Now()));
    return SaveReferral(context, t, referral);
  });
  EXPECT_THAT(office_.KindsLeaving(), IsEmpty());
  v1::ResolveDeliveryRequest request;
  request.set_delivery_id(delivery.delivery_id());
  request.set_sighting(v1::LOCAL_SIGHTING_NOT_THERE);
  const absl::Status resolved = desk.Resolve(administrator_, request);
  ASSERT_TRUE(resolved.ok()) << resolved;
  EXPECT_THAT(office_.KindsLeaving(), ::testing::ElementsAre(v1::KIND_REVOKE_ACK));
  EXPECT_EQ(Listed(administrator_, /*all=*/false), 0) << "nothing is left to say";
}

TEST_F(DeskTest, TheTextOfAnItemIsForThoseWhoMayOpenTheReferral) {
  const auto referral = office_.Referral(NodeState::kAccepted, /*originated=*/false);
  const std::string id = RefusedItem(referral.referral_id());
  const std::string lost = RefusedItem("");
  const auto texts = [&](const Actor& actor) {
    std::vector<std::string> found;
    const auto listed = desk_->ListItems(actor);
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (const v1::LocalItem& item : listed->items()) found.push_back(item.text());
    return found;
  };
  EXPECT_THAT(texts(administrator_), ::testing::ElementsAre("", ""));
  EXPECT_THAT(texts(caseworker_), ::testing::ElementsAre(HasSubstr("something")));
  EXPECT_THAT(texts(other_), IsEmpty());
  office_.clock.Advance(absl::Hours(24 * 30));
  EXPECT_THAT(texts(caseworker_), ::testing::ElementsAre("")) << "the consent has ended";

  v1::DropRefusedItemRequest drop;
  drop.set_item_id(lost);
  EXPECT_EQ(ReasonOf(desk_->DropItem(caseworker_, drop)), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_TRUE(desk_->DropItem(administrator_, drop).ok());
  EXPECT_EQ(ReasonOf(desk_->DropItem(administrator_, drop)), v1::REASON_NOT_FOUND);
  drop.set_item_id(id);
  EXPECT_EQ(ReasonOf(desk_->DropItem(other_, drop)), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_TRUE(desk_->DropItem(caseworker_, drop).ok());
}

}  // namespace
}  // namespace waymark::node
