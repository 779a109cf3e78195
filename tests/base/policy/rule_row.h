// A row of the evaluator's table tests: what changes in a scene of scenario 1, and what both sides
// say.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "tests/base/policy/scene.h"

namespace waymark::testing {

enum Sides { kBoth, kSenderOnly, kRecipientOnly };

struct Row {
  std::string name;
  std::function<Scene()> scene;
  std::function<v1::Sections()> sections;
  std::function<void(Scene&, v1::Sections&)> change;
  // REASON_UNSPECIFIED: allowed.
  v1::Reason expected;
  // The field of the finding; empty for the message.
  std::string field;
  // Who can see it; the other side finds nothing.
  Sides sides = kBoth;
};

inline void Expect(const Evaluation& evaluation, v1::Reason reason, const std::string& field) {
  if (reason == v1::REASON_UNSPECIFIED) {
    EXPECT_TRUE(evaluation.allowed()) << Show(evaluation.findings);
  } else {
    EXPECT_TRUE(Has(evaluation.findings, reason, field)) << Show(evaluation.findings);
  }
}

// What the sender says on the consent record and the recipient on the token made from it.
inline void ExpectRow(const Row& row) {
  Scene scene = row.scene();
  v1::Sections sections = row.sections();
  row.change(scene, sections);
  const auto expected_on = [&row](Sides side) {
    return row.sides == kBoth || row.sides == side ? row.expected : v1::REASON_UNSPECIFIED;
  };
  Expect(scene.AsSender(sections), expected_on(kSenderOnly), row.field);
  Expect(scene.AsRecipient(sections), expected_on(kRecipientOnly), row.field);
}

inline std::string NameOf(const ::testing::TestParamInfo<Row>& tested) { return tested.param.name; }

inline constexpr v1::Reason kAllowed = v1::REASON_UNSPECIFIED;

// The body of a row's change; it may use `scene` and `sections`.
#define CHANGE [](Scene & scene [[maybe_unused]], v1::Sections & sections [[maybe_unused]])

inline Row Inquiry(std::string name, std::function<void(Scene&, v1::Sections&)> change,
                   v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name), RoomInquiryScene, RoomInquiry, std::move(change),
          expected,        std::move(field), sides};
}

inline Row Accepted(std::string name, std::function<void(Scene&, v1::Sections&)> change,
                    v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name), RoomAcceptedScene, RoomDisclosure, std::move(change),
          expected,        std::move(field),  sides};
}

inline Row Started(std::string name, std::function<void(Scene&, v1::Sections&)> change,
                   v1::Reason expected, std::string field = "", Sides sides = kBoth) {
  return {std::move(name),
          RoomStartedScene,
          RoomStartedDisclosure,
          std::move(change),
          expected,
          std::move(field),
          sides};
}

}  // namespace waymark::testing
