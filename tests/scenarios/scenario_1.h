// Scenario 1, "A room tonight, with an interpreter": who takes part and what the person says.
//
// Organisations, times and values are those of the walk-through; free texts carry a mark that
// nothing else can contain by accident, so that a test that searches files for them cannot err.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/network_fixture.h"
#include "waymark/v1/message.pb.h"

namespace waymark::testing {

// The scenario's day at `hour`:`minute`, or the day after.
absl::Time At(int hour, int minute, int days_later = 0);

// The six organisations with the directory facts that matter.
std::vector<OrganisationPlan> Scenario1Organisations();
// Those of `handles` alone, for tests that need no more.
std::vector<OrganisationPlan> Scenario1Organisations(const std::vector<std::string>& handles);

// What one person said, and what two providers say in turn about meeting her.
struct Person {
  // The case's local name.
  std::string label;
  // Everything on the case but its needs.
  v1::Sections sections;
  // How the interpreter is wanted and what the room must be: what the needs ask for.
  v1::NeedSection interpreter;
  v1::NeedSection room;
  v1::NeedSection bed;
  // Where the provider meets her.
  v1::LogiSection meeting;

  // The texts that must show nowhere but where they were agreed.
  std::vector<std::string> Canaries() const;
};

// The woman of the walk-through.
Person Sara();
// Somebody else: another value in every field that has one, in the same fields.
Person SomebodyElse();

}  // namespace waymark::testing
