// Scenario 1 of the domain reference, section 4.1, as values: who is asked, what the person agreed
// to and what is sent. For tests of the evaluator.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/policy/evaluator.h"
#include "base/schema/catalogue.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark::testing {

// A time of the night of the scenario (UTC stands in for local time).
absl::Time At(const std::string& rfc3339_minute);

// The invented units. Ids are made of the first letters of the handle.
UnitId UnitOf(const std::string& handle);
OrganisationId OrganisationOf(const std::string& handle);

// Reads sections in protobuf's text format; ends the test program if they do not parse.
v1::Sections SectionsOf(const std::string& text);

// One evaluation: a context with the consent it stands on.
struct Scene {
  PolicyContext context;
  v1::ConsentRecord consent;
  // The hub has told the token's holders that it was withdrawn.
  bool revoked = false;

  // The token that goes with the consent, as the origin would issue it.
  v1::ConsentToken Token() const;

  Evaluation AsSender(const v1::Sections& sections) const;
  Evaluation AsRecipient(const v1::Sections& sections) const;

  // Lists the fields of `names`, separated by commas, in the consent; special ones with their yes.
  void Allow(const std::string& names);
  void AllowSpecial(const std::string& names);
  void AllowReturn(const std::string& names);
};

// Step 2: the interpreter, and what the inquiry to bwi.pool says.
Scene InterpreterScene();
v1::Sections InterpreterInquiry();

// Step 3: the room, inquiry only, with two named recipients; the recipient is lin.family.
Scene RoomInquiryScene();
v1::Sections RoomInquiry();

// Step 5: lin.family after the person's yes, and after the start.
Scene RoomAcceptedScene();
v1::Sections RoomDisclosure();
Scene RoomStartedScene();
v1::Sections RoomStartedDisclosure();

// Steps 6 and 7: what lin.family sends back.
Scene RoomReturnScene(v1::Kind kind, v1::Stage stage);

// Whether `findings` has one with this reason for this field ("" for the message as a whole).
bool Has(const std::vector<PolicyFinding>& findings, v1::Reason reason,
         const std::string& field = "");

// The findings, for messages of failed expectations.
std::string Show(const std::vector<PolicyFinding>& findings);

}  // namespace waymark::testing
