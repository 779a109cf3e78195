#include "client/casework/cases.h"

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/casework/desk.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;

class CasesTest : public DeskTest {
 protected:
  v1::CreateCaseRequest CaseOf(const std::string& label) const {
    v1::CreateCaseRequest request;
    request.set_case_id(CaseId::Generate(SystemRandom()).bytes());
    request.set_unit_id(office_.lin.unit.bytes());
    request.set_label(label);
    return request;
  }
  std::vector<std::string> Labels(const Actor& actor) {
    std::vector<std::string> labels;
    const auto listed = cases_.List(actor);
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (const v1::Case& person : *listed) {
      EXPECT_FALSE(person.has_sections()) << "a list says nothing of anybody";
      labels.push_back(person.label());
    }
    return labels;
  }
};

TEST_F(CasesTest, ListsTheCasesOfTheOwnUnitsOldestFirst) {
  const v1::CreateCaseRequest first = CaseOf("LIN-1");
  EXPECT_TRUE(cases_.Create(lead_, first).ok());
  EXPECT_TRUE(cases_.Create(lead_, CaseOf("LIN-2")).ok());
  EXPECT_TRUE(cases_.Create(lead_, first).ok()) << "a repeat changes nothing";
  EXPECT_THAT(Labels(lead_), ElementsAre("LIN-1", "LIN-2"));
  EXPECT_EQ(ReasonOf(cases_.List(LogIn(v1::STAFF_ROLE_LOGISTICS)).status()),
            v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(CasesTest, ALabelNamesOneCase) {
  const v1::CreateCaseRequest first = CaseOf("LIN-1");
  ASSERT_TRUE(cases_.Create(lead_, first).ok());
  EXPECT_EQ(ReasonOf(cases_.Create(lead_, CaseOf("LIN-1"))), v1::REASON_FIELD_INVALID);
  v1::CreateCaseRequest renamed = first;
  renamed.set_label("LIN-9");
  EXPECT_EQ(ReasonOf(cases_.Create(lead_, renamed)), v1::REASON_ID_REUSED);
  EXPECT_THAT(Labels(lead_), ElementsAre("LIN-1"));
}

TEST_F(CasesTest, ShowsACaseWithItsNeedsByRankToCaseworkersAlone) {
  const v1::CreateCaseRequest person = CaseOf("LIN-1");
  ASSERT_TRUE(cases_.Create(lead_, person).ok());
  v1::UpdateCaseRequest said;
  said.set_case_id(person.case_id());
  said.mutable_sections()->mutable_lang()->set_preferred_language("ti");
  said.add_exclude(office_.qso.unit.bytes());
  ASSERT_TRUE(cases_.Update(lead_, said).ok());
  for (const auto& [code, rank] : {std::pair{102u, 2u}, std::pair{101u, 1u}}) {
    ASSERT_TRUE(cases_.PutNeed(lead_, NeedOf(person.case_id(), code, rank)).ok());
  }
  const auto id = *CaseId::FromBytes(person.case_id());
  const auto shown = cases_.Get(lead_, id);
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->label(), "LIN-1");
  EXPECT_EQ(shown->sections().lang().preferred_language(), "ti");
  EXPECT_THAT(shown->excluded(), ElementsAre(office_.qso.unit.bytes()));
  ASSERT_EQ(shown->needs_size(), 2);
  EXPECT_EQ(shown->needs(0).service_code(), 101u);
  EXPECT_EQ(shown->needs(1).service_code(), 102u);
  EXPECT_EQ(ReasonOf(cases_.Get(LogIn(v1::STAFF_ROLE_LOGISTICS), id).status()),
            v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(cases_.Get(lead_, CaseId::Generate(SystemRandom())).status()),
            v1::REASON_NOT_FOUND);
}

TEST_F(CasesTest, ANeedIsForAServiceThatThereIs) {
  const v1::CreateCaseRequest person = CaseOf("LIN-1");
  ASSERT_TRUE(cases_.Create(lead_, person).ok());
  const auto put = [&](uint32_t code, uint32_t rank) {
    return ReasonOf(cases_.PutNeed(lead_, NeedOf(person.case_id(), code, rank)));
  };
  EXPECT_EQ(put(0, 1), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(put(999, 1), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(put(101, 0), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(put(101, 1), v1::REASON_UNSPECIFIED);
}

}  // namespace
}  // namespace waymark::node
