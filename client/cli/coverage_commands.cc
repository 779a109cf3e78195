#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/coverage_view.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct CoverageOptions {
  std::string area;
  uint32_t code = 0;
  std::string language;
  std::string need;
  bool gaps = false;
};

absl::Status ShowCoverage(Shell& shell, const CoverageOptions& options) {
  v1::GetCoverageRequest request;
  request.set_area(options.area);
  request.set_code(options.code);
  request.set_language(options.language);
  request.set_gaps_only(options.gaps);
  if (!options.need.empty()) {
    ASSIGN_OR_RETURN(const int need,
                     ParseEnum("--need", *v1::ServiceNeed_descriptor(), options.need));
    request.set_need(static_cast<v1::ServiceNeed>(need));
  }
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto coverage, node->Call(&Api::GetCoverage, request));
  if (shell.PrintJson(coverage)) return absl::OkStatus();
  shell.out() << CoverageText(shell.view(), request, coverage);
  return absl::OkStatus();
}

}  // namespace

void AddCoverageCommand(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<CoverageOptions>();
  CLI::App* coverage =
      shell.Add(app, "coverage",
                "Shows what the network offers by area and kind, and where there is nobody. It\n"
                "counts services of the directory, never people.",
                "waymark coverage --area XA-M --code 200",
                [&shell, &options] { return ShowCoverage(shell, options); });
  coverage->add_option("--area", options.area, "Only what serves this area, there or remotely");
  coverage->add_option("--code,--category", options.code,
                       "Only this taxonomy code, or this category (200)");
  coverage->add_option("--language", options.language, "Only what has this language, such as ti");
  coverage->add_option("--need", options.need,
                       "Only what does not exclude this: WITH_CHILDREN, FEMALE, MALE, "
                       "ANOTHER_GENDER, UNDER_18, FROM_60, STEP_FREE");
  coverage->add_flag("--gaps", options.gaps, "Only the kinds and areas with nobody");
}

}  // namespace waymark::node
