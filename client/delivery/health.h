// Whether something at a local system goes well, told once when that changes.
//
// One alert when it starts to fail and one when it is well again, however often it is noted in
// between. Says the connector's name and the reason, and nothing else. Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "waymark/v1/reason.pb.h"

namespace waymark::node {

// Shows a sentence to people; the reason is UNSPECIFIED for good news.
using AlertPeople = std::function<void(v1::Reason reason, const std::string& text)>;

class Health {
 public:
  // `failing` and `well` end the sentence "The local system 'x' ...".
  Health(std::string name, std::string failing, std::string well, AlertPeople alert)
      : name_(std::move(name)),
        failing_text_(std::move(failing)),
        well_text_(std::move(well)),
        alert_(std::move(alert)) {}

  // `why`, if there is any, says it in neutral words, as an error's text does.
  void NoteFailing(v1::Reason reason, std::string_view why = {});
  void NoteWell();
  bool failing() const { return failing_; }

 private:
  const std::string name_;
  const std::string failing_text_;
  const std::string well_text_;
  const AlertPeople alert_;
  bool failing_ = false;
};

}  // namespace waymark::node
