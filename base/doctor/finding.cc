#include "base/doctor/finding.h"

#include <algorithm>
#include <utility>

#include "base/schema/canonical_json.h"
#include "google/protobuf/struct.pb.h"

namespace waymark {
namespace {

std::string NameOf(Severity severity) {
  switch (severity) {
    case Severity::kFine:
      return "fine";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

}  // namespace

Finding Fine(std::string check, std::string text) {
  return {Severity::kFine, std::move(check), std::move(text), ""};
}

Finding Warning(std::string check, std::string text, std::string cure) {
  return {Severity::kWarning, std::move(check), std::move(text), std::move(cure)};
}

Finding Wrong(std::string check, std::string text, std::string cure) {
  return {Severity::kError, std::move(check), std::move(text), std::move(cure)};
}

Severity Worst(std::span<const Finding> findings) {
  Severity worst = Severity::kFine;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

int DoctorExitCode(std::span<const Finding> findings) { return static_cast<int>(Worst(findings)); }

std::string FindingsText(std::span<const Finding> findings) {
  std::string text;
  size_t warnings = 0;
  size_t errors = 0;
  for (const Finding& finding : findings) {
    warnings += static_cast<size_t>(finding.severity == Severity::kWarning);
    errors += static_cast<size_t>(finding.severity == Severity::kError);
    std::string name = NameOf(finding.severity);
    name.resize(std::string("warning").size() + 2, ' ');
    text += name + finding.check + ": " + finding.text + "\n";
    if (!finding.cure.empty()) text += std::string(name.size(), ' ') + finding.cure + "\n";
  }
  return text + std::to_string(findings.size()) + " looked at: " + std::to_string(errors) +
         (errors == 1 ? " error, " : " errors, ") + std::to_string(warnings) +
         (warnings == 1 ? " warning\n" : " warnings\n");
}

std::string FindingsJson(std::span<const Finding> findings) {
  google::protobuf::Struct all;
  (*all.mutable_fields())["worst"].set_string_value(NameOf(Worst(findings)));
  auto& list = *(*all.mutable_fields())["findings"].mutable_list_value();
  for (const Finding& finding : findings) {
    auto& fields = *list.add_values()->mutable_struct_value()->mutable_fields();
    fields["severity"].set_string_value(NameOf(finding.severity));
    fields["check"].set_string_value(finding.check);
    fields["text"].set_string_value(finding.text);
    fields["cure"].set_string_value(finding.cure);
  }
  return ToJson(all).value_or("{}");
}

}  // namespace waymark
