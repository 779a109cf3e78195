#include "client/casework/match.h"

#include <algorithm>
#include <compare>
#include <utility>

#include "base/policy/evaluator.h"
#include "client/directory/snapshot.h"

namespace waymark::node {
namespace {

using v1::MATCH_VERDICT_ASK;
using v1::MATCH_VERDICT_CONFLICTS;
using v1::MATCH_VERDICT_FITS;

// Collects findings about one candidate.
class Examination {
 public:
  Examination(const Catalogue& catalogue, const v1::Case& person, const v1::Need& need,
              const Candidate& candidate)
      : catalogue_(catalogue),
        person_(person),
        need_(need),
        candidate_(candidate),
        service_(*candidate.service) {}

  v1::ServiceMatch Run() {
    Standing();
    Area();
    Mode();
    Faith();
    Populations();
    Language();
    Access();
    Duration();
    for (const v1::Condition& condition : service_.conditions()) ExamineCondition(condition);
    Capacity();
    Summarise();
    return std::move(match_);
  }

 private:
  void Add(const char* criterion, v1::MatchVerdict verdict, std::string text,
           const std::string& condition_id = "") {
    v1::MatchFinding* finding = match_.add_findings();
    finding->set_criterion(criterion);
    finding->set_verdict(verdict);
    finding->set_text(std::move(text));
    finding->set_condition_id(condition_id);
  }

  void Standing() {
    const auto& excluded = person_.excluded();
    const bool is_excluded =
        std::find(excluded.begin(), excluded.end(), candidate_.unit->unit_id()) != excluded.end() ||
        std::find(excluded.begin(), excluded.end(), candidate_.organisation.bytes()) !=
            excluded.end();
    if (is_excluded) {
      Add("EXCLUDED", MATCH_VERDICT_CONFLICTS, "The person excluded this organisation.");
    }
    if (candidate_.member->status() != v1::MEMBER_STATUS_ACTIVE) {
      Add("MEMBER", MATCH_VERDICT_CONFLICTS, "The organisation takes no new requests.");
    }
    if (RuleOf(catalogue_, candidate_.member->organisation_class()) != ClassRule::kOpen) {
      match_.set_blocked_class(true);
      Add("CLASS", MATCH_VERDICT_CONFLICTS,
          "This kind of organisation is closed without a separate release.");
    }
  }

  void Area() {
    const auto& areas = service_.service_areas();
    const std::string& wanted = need_.section().area_wanted();
    if (!wanted.empty()) {
      if (service_.remote_delivery() ||
          std::find(areas.begin(), areas.end(), wanted) != areas.end()) {
        Add("AREA", MATCH_VERDICT_FITS, "Serves the area that is wanted.");
      } else {
        Add("AREA", MATCH_VERDICT_CONFLICTS, "Does not serve the area that is wanted.");
      }
    }
    for (const std::string& avoided : person_.sections().safe().areas_to_avoid()) {
      if (!service_.remote_delivery() &&
          std::find(areas.begin(), areas.end(), avoided) != areas.end()) {
        Add("AREA_TO_AVOID", MATCH_VERDICT_CONFLICTS, "Is in an area that the person avoids.");
      }
    }
  }

  void Mode() {
    if (need_.section().mode() == v1::DELIVERY_MODE_REMOTE && !service_.remote_delivery()) {
      Add("MODE", MATCH_VERDICT_CONFLICTS, "Is not offered at a distance.");
    }
  }

  void Faith() {
    if (candidate_.profile == nullptr ||
        person_.sections().pref().faith_setting() != v1::SETTING_PREFERENCE_AVOID) {
      return;
    }
    if (candidate_.profile->faith_participation() == v1::FAITH_PARTICIPATION_EXPECTED) {
      Add("FAITH", MATCH_VERDICT_CONFLICTS,
          "Expects participation in matters of faith, which the person avoids.");
    }
  }

  void Populations() {
    const v1::PartySection& party = person_.sections().party();
    const v1::Populations& populations = service_.populations();
    const bool with_children = party.children_band() == v1::CHILDREN_BAND_ONE ||
                               party.children_band() == v1::CHILDREN_BAND_TWO ||
                               party.children_band() == v1::CHILDREN_BAND_THREE_OR_MORE;
    if (with_children && populations.has_children()) {
      populations.children() ? Add("HOUSEHOLD", MATCH_VERDICT_FITS, "Takes children.")
                             : Add("HOUSEHOLD", MATCH_VERDICT_CONFLICTS, "Does not take children.");
    }
    const auto& genders = populations.genders();
    const bool known = party.gender_for_placement() > v1::GENDER_PREFER_NOT_TO_SAY;
    if (!genders.empty() && known) {
      std::find(genders.begin(), genders.end(), party.gender_for_placement()) != genders.end()
          ? Add("GENDER", MATCH_VERDICT_FITS, "Serves this population.")
          : Add("GENDER", MATCH_VERDICT_CONFLICTS, "Does not serve this population.");
    }
    if (person_.sections().pref().single_sex_setting() == v1::SINGLE_SEX_SETTING_REQUIRED &&
        !service_.single_sex()) {
      Add("SINGLE_SEX", MATCH_VERDICT_CONFLICTS, "Is not a single-sex setting.");
    }
  }

  void Language() {
    const std::string& wanted = person_.sections().lang().preferred_language();
    if (wanted.empty() || service_.languages().empty()) return;
    for (const v1::ServiceLanguage& language : service_.languages()) {
      if (language.tag() == wanted) {
        Add("LANGUAGE", MATCH_VERDICT_FITS,
            language.spoken_by_staff() ? "Staff speak the language."
                                       : "Has the language through interpreters.");
        return;
      }
    }
    // A language service without the language is no match; any other service can be interpreted.
    constexpr uint32_t kLanguageCategory = 6;
    if (need_.service_code() / 100 == kLanguageCategory) {
      Add("LANGUAGE", MATCH_VERDICT_CONFLICTS, "Does not have the language.");
    } else {
      Add("LANGUAGE", MATCH_VERDICT_ASK, "An interpreter will be needed.");
    }
  }

  void Access() {
    if (person_.sections().access().step_free() == v1::ANSWER_YES) {
      service_.step_free() ? Add("ACCESS", MATCH_VERDICT_FITS, "Is step-free.")
                           : Add("ACCESS", MATCH_VERDICT_ASK, "Does not say that it is step-free.");
    }
  }

  void Duration() {
    const uint32_t wanted = need_.section().min_duration_days();
    if (wanted == 0 || !service_.has_max_stay_days()) return;
    if (service_.max_stay_days() >= wanted) {
      Add("DURATION", MATCH_VERDICT_FITS, "Can be used long enough.");
    } else if (service_.extendable()) {
      Add("DURATION", MATCH_VERDICT_ASK, "Is shorter than needed but can be extended.");
    } else {
      Add("DURATION", MATCH_VERDICT_CONFLICTS, "Is shorter than needed.");
    }
  }

  void ExamineCondition(const v1::Condition& condition) {
    const std::string& id = condition.condition_id();
    if (condition.kind() == v1::CONDITION_KIND_HOUSE_RULES) {
      Add("HOUSE_RULES", MATCH_VERDICT_FITS, "Has house rules, to be read out before a decision.",
          id);
      return;
    }
    if (condition.kind() == v1::CONDITION_KIND_FAITH_PARTICIPATION &&
        condition.value() == "EXPECTED" &&
        person_.sections().pref().faith_setting() == v1::SETTING_PREFERENCE_AVOID) {
      Add("CONDITION", MATCH_VERDICT_CONFLICTS,
          "Expects participation in matters of faith, which the person avoids.", id);
      return;
    }
    for (const v1::EligSection& answer : person_.sections().elig()) {
      if (answer.condition_id() != id) continue;
      if (answer.answer() == v1::ANSWER_YES) {
        Add("CONDITION", MATCH_VERDICT_FITS, "The published condition is met.", id);
        return;
      }
      if (answer.answer() == v1::ANSWER_NO &&
          condition.strength() == v1::CONDITION_STRENGTH_REQUIRED && !condition.waiver_possible()) {
        Add("CONDITION", MATCH_VERDICT_CONFLICTS, "The published condition is not met.", id);
        return;
      }
    }
    Add("CONDITION", MATCH_VERDICT_ASK, "Has a published condition to go through with the person.",
        id);
  }

  void Capacity() {
    switch (candidate_.capacity) {
      case v1::CAPACITY_STATUS_HAS_CAPACITY:
        Add("CAPACITY", MATCH_VERDICT_FITS, "Has room.");
        break;
      case v1::CAPACITY_STATUS_NO_CAPACITY:
        service_.accepts_waitlist()
            ? Add("CAPACITY", MATCH_VERDICT_ASK, "Is full and keeps a waiting list.")
            : Add("CAPACITY", MATCH_VERDICT_CONFLICTS, "Is full.");
        break;
      case v1::CAPACITY_STATUS_WAITLIST:
        Add("CAPACITY", MATCH_VERDICT_ASK, "Has a waiting list.");
        break;
      case v1::CAPACITY_STATUS_ASSESSMENT_REQUIRED:
        Add("CAPACITY", MATCH_VERDICT_ASK, "Decides after an assessment.");
        break;
      default:
        Add("CAPACITY", MATCH_VERDICT_ASK, "Has not said lately whether there is room.");
    }
  }

  void Summarise() {
    v1::MatchVerdict verdict = MATCH_VERDICT_FITS;
    for (const v1::MatchFinding& finding : match_.findings()) {
      if (finding.verdict() == MATCH_VERDICT_CONFLICTS) {
        verdict = MATCH_VERDICT_CONFLICTS;
        break;
      }
      if (finding.verdict() == MATCH_VERDICT_ASK) verdict = MATCH_VERDICT_ASK;
    }
    match_.set_verdict(verdict);
    *match_.mutable_entry() = ListingOf(candidate_);
    if (candidate_.profile != nullptr) {
      *match_.mutable_reporting_duties() = candidate_.profile->reporting_duties();
    }
  }

  const Catalogue& catalogue_;
  const v1::Case& person_;
  const v1::Need& need_;
  const Candidate& candidate_;
  const v1::Service& service_;
  v1::ServiceMatch match_;
};

// R16: services that ask for nothing of this kind come first.
bool IsConditional(const v1::Service& service) {
  return std::any_of(service.conditions().begin(), service.conditions().end(),
                     [](const v1::Condition& condition) {
                       return condition.strength() == v1::CONDITION_STRENGTH_REQUIRED &&
                              (condition.kind() == v1::CONDITION_KIND_LE_COOPERATION ||
                               condition.kind() == v1::CONDITION_KIND_FORMAL_IDENTIFICATION ||
                               condition.kind() == v1::CONDITION_KIND_IMMIGRATION_STATUS);
                     });
}

// What decides a match's place; looked up once, because sorting compares it many times.
struct Rank {
  explicit Rank(const v1::ServiceMatch& match)
      : conflicts(match.verdict() == MATCH_VERDICT_CONFLICTS),
        conditional(IsConditional(match.entry().service())),
        capacity(CapacityRank(match.entry().status())),
        handle(match.entry().service().handle()) {}

  auto operator<=>(const Rank&) const = default;

  bool conflicts;
  bool conditional;
  int capacity;
  std::string handle;
};

std::vector<v1::ServiceMatch> InOrder(std::vector<v1::ServiceMatch> matches) {
  std::vector<std::pair<Rank, v1::ServiceMatch*>> ranked;
  ranked.reserve(matches.size());
  for (v1::ServiceMatch& match : matches) ranked.emplace_back(Rank(match), &match);
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<v1::ServiceMatch> ordered;
  ordered.reserve(matches.size());
  for (const auto& [rank, match] : ranked) ordered.push_back(std::move(*match));
  return ordered;
}

}  // namespace

bool Offers(const v1::Service& service, uint32_t code) {
  const auto& secondary = service.secondary_codes();
  return !service.withdrawn() &&
         (service.code() == code ||
          std::find(secondary.begin(), secondary.end(), code) != secondary.end());
}

std::vector<v1::ServiceMatch> Match(const Catalogue& catalogue, const v1::Case& person,
                                    const v1::Need& need,
                                    const std::vector<Candidate>& candidates) {
  std::vector<v1::ServiceMatch> matches;
  matches.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    if (Offers(*candidate.service, need.service_code())) {
      matches.push_back(Examination(catalogue, person, need, candidate).Run());
    }
  }
  return InOrder(std::move(matches));
}

v1::DirectoryListing ListingOf(const Candidate& candidate) {
  v1::DirectoryListing listing;
  *listing.mutable_service() = *candidate.service;
  listing.set_unit_handle(candidate.unit->handle());
  listing.set_status(candidate.capacity);
  if (candidate.available.has_value()) listing.set_available(*candidate.available);
  if (candidate.capacity_until.has_value()) {
    listing.mutable_valid_until()->set_seconds(absl::ToUnixSeconds(*candidate.capacity_until));
  }
  return listing;
}

}  // namespace waymark::node
