#include <gmock/gmock.h>

#include "base/status/status.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/server/store_conformance/store_conformance.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr size_t kWholePage = size_t{1} << 30;

std::vector<StatementRow> Read(Store& store, bool capacity, uint64_t after = 0,
                               size_t max_bytes = kWholePage) {
  auto rows = store.ReadStatements(capacity, after, max_bytes);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() ? *rows : std::vector<StatementRow>();
}

MATCHER_P2(IsStatement, revision, row, "") {
  return arg.revision == static_cast<uint64_t>(revision) && arg.subject == row.subject &&
         arg.organisation == row.organisation && arg.version == row.version &&
         arg.capacity == row.capacity && arg.statement == row.statement &&
         arg.digest == row.digest && arg.head == row.head;
}

StatementRow Cleared(StatementRow row) {
  row.statement.clear();
  return row;
}

TEST_P(StoreConformance, StatementsGetRevisions) {
  std::vector<StatementRow> rows = {SampleStatement("service/1", 1),
                                    SampleStatement("service/2", 1),
                                    SampleStatement("capacity/1", 1, true)};
  ASSERT_TRUE(store().AppendStatements(rows, 0).ok());
  EXPECT_EQ(rows[0].revision, 1u);
  EXPECT_EQ(rows[1].revision, 2u);
  EXPECT_EQ(rows[2].revision, 1u) << "capacity counts on its own";
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    EXPECT_THAT(Read(store(), false),
                ElementsAre(IsStatement(1, rows[0]), IsStatement(2, rows[1])));
    EXPECT_THAT(Read(store(), false, 1), ElementsAre(IsStatement(2, rows[1])));
    EXPECT_THAT(Read(store(), true), ElementsAre(IsStatement(1, rows[2])));
  }
}

TEST_P(StoreConformance, ANewerStatementClearsTheOneItReplaces) {
  std::vector<StatementRow> first = {SampleStatement("service/1", 3)};
  ASSERT_TRUE(store().AppendStatements(first, 0).ok());
  std::vector<StatementRow> second = {SampleStatement("service/1", 4)};
  ASSERT_TRUE(store().AppendStatements(second, 1).ok());
  EXPECT_THAT(Read(store(), false),
              ElementsAre(IsStatement(1, Cleared(first[0])), IsStatement(2, second[0])));
  const auto newest = store().FindStatement("service/1");
  ASSERT_TRUE(newest.ok() && newest->has_value());
  EXPECT_THAT(**newest, IsStatement(2, second[0]));
}

TEST_P(StoreConformance, ANewerCapacityRemovesTheOneItReplaces) {
  std::vector<StatementRow> first = {SampleStatement("capacity/1", 1, true),
                                     SampleStatement("capacity/2", 1, true)};
  ASSERT_TRUE(store().AppendStatements(first, 0).ok());
  std::vector<StatementRow> second = {SampleStatement("capacity/1", 2, true)};
  ASSERT_TRUE(store().AppendStatements(second, 77).ok()) << "capacity continues no log";
  EXPECT_THAT(Read(store(), true),
              ElementsAre(IsStatement(2, first[1]), IsStatement(3, second[0])));
  EXPECT_THAT(Read(store(), false), IsEmpty());
}

TEST_P(StoreConformance, FindStatementOfAnUnknownSubjectFindsNothing) {
  const auto found = store().FindStatement("service/1");
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->has_value());
}

TEST_P(StoreConformance, ARefusedAppendAppendsNothing) {
  std::vector<StatementRow> first = {SampleStatement("service/1", 5)};
  ASSERT_TRUE(store().AppendStatements(first, 0).ok());

  std::vector<StatementRow> old = {SampleStatement("service/2", 1),
                                   SampleStatement("service/1", 5)};
  EXPECT_EQ(ReasonOf(store().AppendStatements(old, 1)), v1::REASON_STATEMENT_INVALID);
  std::vector<StatementRow> twice = {SampleStatement("service/2", 1),
                                     SampleStatement("service/2", 1)};
  EXPECT_EQ(ReasonOf(store().AppendStatements(twice, 1)), v1::REASON_STATEMENT_INVALID);
  std::vector<StatementRow> elsewhere = {SampleStatement("service/2", 1)};
  EXPECT_EQ(ReasonOf(store().AppendStatements(elsewhere, 0)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(ReasonOf(store().AppendStatements(elsewhere, 2)), v1::REASON_STATEMENT_INVALID);
  medium().Refuse(Refusal::kFull);
  EXPECT_EQ(ReasonOf(store().AppendStatements(elsewhere, 1)), v1::REASON_QUOTA_EXCEEDED);
  medium().Refuse(Refusal::kNone);

  EXPECT_THAT(Read(store(), false), ElementsAre(IsStatement(1, first[0])));
  EXPECT_TRUE(store().AppendStatements(elsewhere, 1).ok());
  EXPECT_EQ(elsewhere[0].revision, 2u);
}

TEST_P(StoreConformance, StatementsAreReadInPages) {
  std::vector<StatementRow> rows;
  for (int i = 0; i < 10; ++i) {
    rows.push_back(SampleStatement("service/" + std::to_string(i), 1));
    rows.back().statement.assign(1000, 's');
  }
  ASSERT_TRUE(store().AppendStatements(rows, 0).ok());
  uint64_t after = 0;
  size_t pages = 0;
  while (after < rows.size()) {
    const auto page = Read(store(), false, after, 3000);
    ASSERT_FALSE(page.empty());
    EXPECT_LT(page.size(), 5u);
    EXPECT_EQ(page.front().revision, after + 1);
    after = page.back().revision;
    ++pages;
  }
  EXPECT_GT(pages, 2u);
  EXPECT_THAT(Read(store(), false, 0, 1), SizeIs(1)) << "a page has at least one";
}

TEST_P(StoreConformance, InvitationsAreKeptByHash) {
  InvitationRow row = SampleInvitation(1);
  ASSERT_TRUE(store().PutInvitation(row).ok());
  row.used_by = SampleHash(7);
  ASSERT_TRUE(store().PutInvitation(row).ok());
  Reopen();
  const auto found = store().FindInvitation(row.hash);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->organisation, row.organisation);
  EXPECT_EQ((*found)->expires_at, row.expires_at);
  EXPECT_EQ((*found)->used_by, row.used_by);
  const auto missing = store().FindInvitation(SampleHash(2));
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
}

TEST_P(StoreConformance, EnrolmentsAreListedUntilDecided) {
  EnrolmentRow renewal = SampleEnrolment(2);
  renewal.invitation_hash.clear();
  renewal.renewal = true;
  ASSERT_TRUE(store().PutEnrolment(renewal).ok());
  EnrolmentRow first = SampleEnrolment(1);
  ASSERT_TRUE(store().PutEnrolment(first).ok());
  auto queued = store().ListEnrolments(false);
  ASSERT_TRUE(queued.ok());
  ASSERT_THAT(*queued, SizeIs(2));
  EXPECT_EQ((*queued)[0].request_id, first.request_id) << "oldest first";
  EXPECT_TRUE((*queued)[1].renewal);

  first.state = v1::ENROLMENT_STATE_APPROVED;
  first.response = "response";
  ASSERT_TRUE(store().PutEnrolment(first).ok());
  Reopen();
  queued = store().ListEnrolments(false);
  ASSERT_TRUE(queued.ok());
  EXPECT_THAT(*queued, SizeIs(1));
  const auto all = store().ListEnrolments(true);
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(*all, SizeIs(2));

  const auto found = store().FindEnrolment(first.request_id);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->state, first.state);
  EXPECT_EQ((*found)->requested_at, first.requested_at);
  EXPECT_EQ((*found)->request, first.request);
  EXPECT_EQ((*found)->response, first.response);
  const auto missing = store().FindEnrolment(SampleHash(9));
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(missing->has_value());
}

}  // namespace
}  // namespace waymark::hub
