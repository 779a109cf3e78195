#include "client/insight/coverage.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "base/status/status.h"
#include "client/insight/supply.h"

namespace waymark::node {
namespace {

// Where somebody can sleep tonight.
constexpr std::array<uint32_t, 3> kTonight = {201, 202, 206};
// Fewer services at a redacted place than this are not counted, even together (G5).
constexpr uint32_t kFewestRedacted = 3;

template <typename Values, typename Field>
void Fill(const Values& values, Field* field) {
  field->Assign(values.begin(), values.end());
}

// A day that a person wrote counts until it has ended everywhere.
absl::Time EndOf(const v1::Date& day) {
  return absl::FromCivil(absl::CivilDay(day.year(), day.month(), day.day()) + 1,
                         absl::FixedTimeZone(-12 * 60 * 60));
}

class Report {
 public:
  Report(const DirectorySnapshot& directory, const Catalogue& catalogue,
         const v1::GetCoverageRequest& request, absl::Time now)
      : catalogue_(catalogue), request_(request), now_(now) {
    for (const ServiceEntry* entry : directory.OpenServices(now)) {
      open_.emplace_back(directory, *entry, now);
    }
    response_.mutable_as_of()->set_seconds(absl::ToUnixSeconds(now));
    response_.set_directory_revision(directory.head().revision());
  }

  absl::StatusOr<v1::GetCoverageResponse> Run() {
    NameCodes();
    if (codes_.empty()) {
      return Error(v1::REASON_FIELD_INVALID, "the taxonomy has neither a code nor a category " +
                                                 std::to_string(request_.code()));
    }
    NameAreasAndLanguages();
    Select();
    Total();
    Areas();
    Categories();
    Training();
    Cells();
    return std::move(response_);
  }

 private:
  using Offerings = std::vector<const Offering*>;

  bool Wants(uint32_t code) const {
    return request_.code() == 0 || request_.code() == code || request_.code() == CategoryOf(code);
  }

  // The codes that were asked for: what the taxonomy has today, and what somebody offers.
  void NameCodes() {
    const v1::Taxonomy& taxonomy = catalogue_.taxonomy();
    for (const v1::ServiceCode& code : taxonomy.codes()) {
      const bool retired = code.retired_in() != 0 && code.retired_in() <= taxonomy.version();
      if (!retired && Wants(code.code())) codes_.insert(code.code());
    }
    for (const Offering& offering : open_) {
      for (const uint32_t code : offering.codes) {
        if (Wants(code)) codes_.insert(code);
      }
    }
  }

  void NameAreasAndLanguages() {
    if (!request_.area().empty()) areas_.insert(request_.area());
    for (const Offering& offering : open_) {
      if (request_.area().empty()) areas_.insert(offering.areas.begin(), offering.areas.end());
      // What only redacted services speak shows nowhere.
      if (offering.redacted) continue;
      for (const auto& [tag, by_staff] : offering.languages) languages_.insert(tag);
    }
  }

  bool IsSelected(const Offering& offering) const {
    const std::string& area = request_.area();
    return std::any_of(offering.codes.begin(), offering.codes.end(),
                       [&](uint32_t code) { return Wants(code); }) &&
           (area.empty() || offering.remote || offering.Serves(area)) &&
           (request_.language().empty() || offering.languages.count(request_.language()) > 0) &&
           (request_.need() == v1::SERVICE_NEED_UNSPECIFIED ||
            offering.needs.count(request_.need()) > 0);
  }

  void Select() {
    for (const Offering& offering : open_) {
      if (!IsSelected(offering)) continue;
      selected_.push_back(&offering);
      for (const std::string& area : offering.areas) {
        in_area_[area].push_back(&offering);
        for (const uint32_t code : offering.codes) in_cell_[{code, area}].push_back(&offering);
      }
      if (!offering.remote) continue;
      remote_.push_back(&offering);
      for (const uint32_t code : offering.codes) remote_by_code_[code].push_back(&offering);
    }
  }

  void Total() {
    Supply supply;
    for (const Offering* offering : selected_) supply.Add(*offering);
    *response_.mutable_total() = supply.Count();
    Fill(supply.Languages(), response_.mutable_languages());
  }

  // Adds the remote ones that do not serve the area on the spot.
  static void AddRemote(const Offerings& remote, const std::string& area, Supply& supply) {
    for (const Offering* offering : remote) {
      if (!offering->Serves(area)) supply.Add(*offering);
    }
  }

  void Areas() {
    for (const std::string& name : areas_) {
      v1::AreaSupply& area = *response_.add_areas();
      area.set_area(name);
      Supply supply;
      for (const Offering* offering : in_area_[name]) supply.Add(*offering);
      *area.mutable_count() = supply.Count();
      AddRemote(remote_, name, supply);
      area.set_remote(supply.services() - area.count().services());
      area.set_redacted(supply.redacted());
      Tonight(area);
    }
  }

  // Over all open services: a filter could cut the redacted ones into groups below the threshold.
  void Tonight(v1::AreaSupply& area) const {
    uint32_t shown = 0;
    uint32_t redacted = 0;
    for (const Offering& offering : open_) {
      if (offering.capacity.status() != v1::CAPACITY_STATUS_HAS_CAPACITY) continue;
      const bool sleeps = std::any_of(kTonight.begin(), kTonight.end(), [&](uint32_t code) {
        return offering.codes.count(code) > 0;
      });
      if (sleeps && offering.Serves(area.area())) ++(offering.redacted ? redacted : shown);
    }
    area.set_tonight(shown);
    if (redacted >= kFewestRedacted) area.set_redacted_tonight(redacted);
  }

  void Categories() {
    std::set<uint32_t> categories;
    for (const uint32_t code : codes_) categories.insert(CategoryOf(code));
    for (const uint32_t number : categories) {
      Supply supply;
      for (const Offering* offering : selected_) {
        const std::set<uint32_t> codes = offering->codes;
        if (std::any_of(codes.begin(), codes.end(),
                        [&](uint32_t code) { return Wants(code) && CategoryOf(code) == number; })) {
          supply.Add(*offering);
        }
      }
      v1::CategorySupply& category = *response_.add_categories();
      category.set_category(number);
      *category.mutable_count() = supply.Count();
      Fill(supply.Conditions(), category.mutable_conditions());
    }
  }

  void Training() {
    for (int topic = v1::TrainingTopic_MIN + 1; topic <= v1::TrainingTopic_MAX; ++topic) {
      v1::TrainingSupply& training = *response_.add_training();
      training.set_topic(static_cast<v1::TrainingTopic>(topic));
      for (const Offering* offering : selected_) {
        if (!offering->redacted) CountTraining(*offering, training);
      }
      const uint32_t all = response_.total().services();
      if (all > 0) training.set_percent(PercentOf(training.services(), all));
    }
  }

  void CountTraining(const Offering& offering, v1::TrainingSupply& training) const {
    if (offering.profile == nullptr) return;
    bool valid = false;
    bool run_out = false;
    for (const v1::Training& stated : offering.profile->training()) {
      if (stated.topic() != training.topic() || stated.group() != v1::TRAINED_GROUP_STAFF) continue;
      if (EndOf(stated.valid_until()) <= now_) {
        run_out = true;
      } else if (stated.share() == v1::SHARE_BAND_FROM_75) {
        valid = true;
      }
    }
    if (valid) training.set_services(training.services() + 1);
    if (run_out && !valid) training.set_run_out(training.run_out() + 1);
  }

  void Cells() {
    uint32_t nobody = 0;
    for (const uint32_t code : codes_) {
      for (const std::string& area : areas_) {
        v1::CoverageCell cell = MakeCell(code, area);
        if (cell.nobody()) ++nobody;
        if (cell.nobody() || !request_.gaps_only()) *response_.add_cells() = std::move(cell);
      }
    }
    response_.set_cells_total(static_cast<uint32_t>(codes_.size() * areas_.size()));
    response_.set_cells_nobody(nobody);
  }

  v1::CoverageCell MakeCell(uint32_t code, const std::string& area) {
    v1::CoverageCell cell;
    cell.set_code(code);
    cell.set_area(area);
    Supply supply;
    for (const Offering* offering : in_cell_[{code, area}]) supply.Add(*offering);
    *cell.mutable_count() = supply.Count();
    AddRemote(remote_by_code_[code], area, supply);
    cell.set_remote(supply.services() - cell.count().services());
    cell.set_redacted(supply.redacted());
    cell.set_nobody(supply.empty());
    if (supply.empty()) return cell;
    Fill(supply.Languages(), cell.mutable_languages());
    Fill(supply.Conditions(), cell.mutable_conditions());
    Fill(supply.MissingLanguages(languages_), cell.mutable_missing_languages());
    Fill(supply.MissingNeeds(), cell.mutable_missing_needs());
    return cell;
  }

  const Catalogue& catalogue_;
  const v1::GetCoverageRequest& request_;
  const absl::Time now_;
  v1::GetCoverageResponse response_;

  std::vector<Offering> open_;
  std::set<uint32_t> codes_;
  std::set<std::string> areas_;
  std::set<std::string> languages_;
  // What was asked for, by where it serves.
  Offerings selected_;
  Offerings remote_;
  std::map<std::string, Offerings> in_area_;
  std::map<std::pair<uint32_t, std::string>, Offerings> in_cell_;
  std::map<uint32_t, Offerings> remote_by_code_;
};

}  // namespace

absl::StatusOr<v1::GetCoverageResponse> CoverageOf(const DirectorySnapshot& directory,
                                                   const Catalogue& catalogue,
                                                   const v1::GetCoverageRequest& request,
                                                   absl::Time now) {
  return Report(directory, catalogue, request, now).Run();
}

}  // namespace waymark::node
