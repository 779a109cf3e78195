// The return profile, a row per rule: what the provider may send back, and that the same field goes
// out only where the profile says so. Each row is judged on the record and on the token.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/base/policy/rule_row.h"

namespace waymark::testing {
namespace {

constexpr char kReviewDate[] = "prog { review_date { year: 2027 month: 3 day: 16 } }";
constexpr char kStatus[] = "prog { status: PROGRESS_STATUS_ONGOING }";
constexpr char kMeetingPoint[] = "logi { meeting_point: 'Tollgate Square' }";
constexpr char kMeetingPointKind[] =
    "logi { meeting_point_kind: MEETING_POINT_KIND_PUBLIC_NEUTRAL }";
constexpr char kArrival[] = "logi { arrival_window { from_minute: 30077115 to_minute: 30077145 } }";
constexpr char kAppointment[] = "logi { appointment_at { seconds: 1804624200 } }";
constexpr char kRemoteJoin[] = "logi { remote_join_ref: 'r4nd0m' }";

void Unchanged(Scene&, v1::Sections&) {}

// What lin.family sends back in a message of this kind and stage; the consent lets every field of
// PROG and LOGI come back.
Row Back(std::string name, v1::Kind kind, v1::Stage stage, std::string text, v1::Reason expected,
         std::string field = "", std::function<void(Scene&, v1::Sections&)> change = Unchanged) {
  return {std::move(name),
          [kind, stage] {
            Scene scene = RoomReturnScene(kind, stage);
            scene.AllowReturn(
                "PROG.started_on, PROG.end_reason, LOGI.appointment_at, LOGI.remote_join_ref, "
                "LOGI.accompanied_by_lead, IDEN.name_to_use");
            return scene;
          },
          [text = std::move(text)] { return SectionsOf(text); },
          std::move(change),
          expected,
          std::move(field)};
}

// What qso.night sends out in a DISCLOSE at ACCEPTED; the consent lists every field of PROG and
// LOGI.
Row Out(std::string name, std::string text, v1::Reason expected, std::string field = "") {
  return {std::move(name),
          [] {
            Scene scene = RoomAcceptedScene();
            scene.Allow(
                "PROG.decline_code, PROG.status, PROG.review_date, LOGI.meeting_point_kind, "
                "LOGI.meeting_point, LOGI.appointment_at, LOGI.remote_join_ref");
            return scene;
          },
          [text = std::move(text)] { return SectionsOf(text); },
          Unchanged,
          expected,
          std::move(field)};
}

void ForClinic(Scene& scene, v1::Sections&) {
  scene.context.service_code = 402;
  scene.consent.add_purposes(402);
}

void WithoutReturn(Scene& scene, v1::Sections&) { scene.consent.clear_return_fields(); }

class ReturnRuleTest : public ::testing::TestWithParam<Row> {};

TEST_P(ReturnRuleTest, Holds) { ExpectRow(GetParam()); }

std::vector<Row> CoarseProgress() {
  const std::string declined = "prog { decline_code: DECLINE_CODE_NO_CAPACITY }";
  const std::string offered =
      "prog { offer { start { seconds: 1804624200 } quantity: 1 "
      "hold_until { seconds: 1804627800 } } }";
  return {
      Back("DeclineAtTheInquiry", v1::KIND_DECLINE, v1::STAGE_INQUIRY, declined, kAllowed),
      Back("OfferAtTheInquiry", v1::KIND_OFFER, v1::STAGE_INQUIRY, offered, kAllowed),
      Back("StatusAtTheStart", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus, kAllowed),
      Back("NeedsNoListing", v1::KIND_DECLINE, v1::STAGE_INQUIRY, declined, kAllowed, "",
           WithoutReturn),
      Back("NotBeforeTheInquiry", v1::KIND_DECLINE, v1::STAGE_NONE, declined,
           v1::REASON_CONSENT_STAGE),
      Out("DeclineDoesNotGoOut", declined, v1::REASON_RETURN_FIELD, "PROG.decline_code"),
      Out("StatusDoesNotGoOut", kStatus, v1::REASON_RETURN_FIELD, "PROG.status"),
  };
}

std::vector<Row> RestOfProgress() {
  return {
      Back("AtTheAcceptance", v1::KIND_PROGRESS, v1::STAGE_ACCEPTED, kReviewDate, kAllowed),
      Back("NotAtTheInquiry", v1::KIND_OFFER, v1::STAGE_INQUIRY, kReviewDate,
           v1::REASON_PROFILE_FIELD, "PROG.review_date"),
      Back("NotUnlisted", v1::KIND_PROGRESS, v1::STAGE_ACCEPTED, kReviewDate,
           v1::REASON_CONSENT_FIELD, "PROG.review_date", WithoutReturn),
      Back("ClinicAtTheStart", v1::KIND_PROGRESS, v1::STAGE_STARTED, kReviewDate, kAllowed, "",
           ForClinic),
      Back("ClinicNotAtTheAcceptance", v1::KIND_PROGRESS, v1::STAGE_ACCEPTED, kReviewDate,
           v1::REASON_PROFILE_FIELD, "PROG.review_date", ForClinic),
      Out("DoesNotGoOut", kReviewDate, v1::REASON_RETURN_FIELD, "PROG.review_date"),
  };
}

// The five fields of LOGI: each from the acceptance on and not before, and only if listed.
std::vector<Row> Arrangements() {
  std::vector<Row> rows;
  const std::vector<std::pair<std::string, std::string>> fields = {
      {"meeting_point_kind", kMeetingPointKind},
      {"meeting_point", kMeetingPoint},
      {"arrival_window", kArrival},
      {"appointment_at", kAppointment},
      {"remote_join_ref", kRemoteJoin},
  };
  for (const auto& [field, text] : fields) {
    const std::string name = "LOGI." + field;
    rows.push_back(
        Back(field + "_accepted", v1::KIND_SCHEDULE, v1::STAGE_ACCEPTED, text, kAllowed));
    rows.push_back(Back(field + "_inquiry", v1::KIND_OFFER, v1::STAGE_INQUIRY, text,
                        v1::REASON_PROFILE_FIELD, name));
    rows.push_back(Back(field + "_unlisted", v1::KIND_SCHEDULE, v1::STAGE_ACCEPTED, text,
                        v1::REASON_CONSENT_FIELD, name, WithoutReturn));
    // Only the provider says where to meet; the others go either way.
    const bool return_only = field == "meeting_point";
    rows.push_back(Out(field + "_out", text, return_only ? v1::REASON_RETURN_FIELD : kAllowed,
                       return_only ? name : ""));
  }
  return rows;
}

std::vector<Row> NothingElse() {
  return {
      Back("NoName", v1::KIND_PROGRESS, v1::STAGE_STARTED, "iden { name_to_use: 'Sara' }",
           v1::REASON_RETURN_FIELD, "IDEN.name_to_use"),
      Back("NoCompany", v1::KIND_PROGRESS, v1::STAGE_STARTED, "logi { accompanied_by_lead: true }",
           v1::REASON_RETURN_FIELD, "LOGI.accompanied_by_lead"),
      Out("CompanyGoesOut", "logi { accompanied_by_lead: true }", kAllowed),
  };
}

INSTANTIATE_TEST_SUITE_P(CoarseProgress, ReturnRuleTest, ::testing::ValuesIn(CoarseProgress()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(RestOfProgress, ReturnRuleTest, ::testing::ValuesIn(RestOfProgress()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Arrangements, ReturnRuleTest, ::testing::ValuesIn(Arrangements()), NameOf);
INSTANTIATE_TEST_SUITE_P(NothingElse, ReturnRuleTest, ::testing::ValuesIn(NothingElse()), NameOf);

// C10: what makes a consent free is on the record; no message flows on one that is not.
std::vector<Row> C10() {
  const auto conditional = [](Scene& scene, v1::Sections&) {
    scene.consent.set_condition_of_service(true);
  };
  Row refused = Back("ConditionBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus,
                     v1::REASON_CONSENT_CONDITIONAL, "", conditional);
  refused.sides = kSenderOnly;
  return {Inquiry("FreeOut", Unchanged, kAllowed),
          Inquiry("ConditionOut", conditional, v1::REASON_CONSENT_CONDITIONAL, "", kSenderOnly),
          Inquiry(
              "NotRecordedOut",
              [](Scene& scene, v1::Sections&) { scene.consent.clear_condition_of_service(); },
              v1::REASON_CONSENT_CONDITIONAL, "", kSenderOnly),
          Back("FreeBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus, kAllowed), refused};
}

// C13: the record tells its holder, the hub's revocation tells who holds the token.
std::vector<Row> C13() {
  const auto withdrawn = [](Scene& scene, v1::Sections&) {
    scene.consent.set_state(v1::CONSENT_STATE_WITHDRAWN);
  };
  const auto revoked = [](Scene& scene, v1::Sections&) { scene.revoked = true; };
  const auto both = [](Scene& scene, v1::Sections&) {
    scene.consent.set_state(v1::CONSENT_STATE_WITHDRAWN);
    scene.revoked = true;
  };
  return {Inquiry("InForceOut", Unchanged, kAllowed),
          Inquiry("RecordOut", withdrawn, v1::REASON_CONSENT_WITHDRAWN, "", kSenderOnly),
          Inquiry("TokenOut", revoked, v1::REASON_CONSENT_WITHDRAWN, "", kRecipientOnly),
          Accepted("BothOut", both, v1::REASON_CONSENT_WITHDRAWN),
          Back("InForceBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus, kAllowed),
          Back("BothBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus,
               v1::REASON_CONSENT_WITHDRAWN, "", both),
          Back("TheEndMayFollow", v1::KIND_CLOSE, v1::STAGE_STARTED,
               "prog { status: PROGRESS_STATUS_ENDED_EARLY }", kAllowed, "", both)};
}

std::vector<Row> C17() {
  const auto not_named = [](Scene& scene, v1::Sections&) {
    scene.consent.set_transport_named(false);
  };
  return {Inquiry("NamedOut", Unchanged, kAllowed),
          Inquiry("NotNamedOut", not_named, v1::REASON_CONSENT_TRANSPORT),
          Back("NamedBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus, kAllowed),
          Back("NotNamedBack", v1::KIND_PROGRESS, v1::STAGE_STARTED, kStatus,
               v1::REASON_CONSENT_TRANSPORT, "", not_named)};
}

class BothDirectionsTest : public ::testing::TestWithParam<Row> {};

TEST_P(BothDirectionsTest, Holds) { ExpectRow(GetParam()); }

INSTANTIATE_TEST_SUITE_P(C10Free, BothDirectionsTest, ::testing::ValuesIn(C10()), NameOf);
INSTANTIATE_TEST_SUITE_P(C13Withdrawn, BothDirectionsTest, ::testing::ValuesIn(C13()), NameOf);
INSTANTIATE_TEST_SUITE_P(C17Transport, BothDirectionsTest, ::testing::ValuesIn(C17()), NameOf);

}  // namespace
}  // namespace waymark::testing
