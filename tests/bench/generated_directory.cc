#include "tests/bench/generated_directory.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/schema/catalogue.h"

namespace waymark::node {
namespace {

constexpr size_t kAreas = 40;
constexpr size_t kResponseSize = 256;
constexpr std::array kLanguages = {"en", "ar", "fr", "es", "ti", "uk", "ru", "fa",
                                   "ps", "so", "tr", "ro", "pt", "zh", "vi", "am",
                                   "ur", "bn", "sq", "ku", "yo", "sw", "hi", "ne"};
constexpr std::array kConditions = {
    v1::CONDITION_KIND_AGE,        v1::CONDITION_KIND_RESIDENCE,
    v1::CONDITION_KIND_DOCUMENTS,  v1::CONDITION_KIND_FORMAL_IDENTIFICATION,
    v1::CONDITION_KIND_HOUSEHOLD,  v1::CONDITION_KIND_LE_COOPERATION,
    v1::CONDITION_KIND_GENDER,     v1::CONDITION_KIND_IMMIGRATION_STATUS,
    v1::CONDITION_KIND_HOUSE_RULES};

// Codes in the order in which they are common: homes, advice, casework and health before the rest.
std::vector<uint32_t> CodesByFrequency() {
  std::vector<uint32_t> codes = {201, 701, 801, 601, 402, 502, 301, 206, 702, 1003};
  for (const v1::ServiceCode& code : Catalogue::Default().taxonomy().codes()) {
    if (std::find(codes.begin(), codes.end(), code.code()) == codes.end()) {
      codes.push_back(code.code());
    }
  }
  return codes;
}

std::string Padded(size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

}  // namespace

GeneratedDirectory::GeneratedDirectory(const Options& options)
    : options_(options), engine_(options.seed) {
  while (services_.size() < options_.services) {
    if (services_.size() % options_.services_per_member == 0) AddMember();
    AddService();
  }
}

size_t GeneratedDirectory::Skewed(size_t bound) {
  const double even =
      static_cast<double>(engine_()) / (static_cast<double>(std::mt19937::max()) + 1);
  return static_cast<size_t>(static_cast<double>(bound) * even * std::sqrt(even));
}

std::string GeneratedDirectory::NewId() {
  std::string id(16, '\0');
  for (char& byte : id) byte = static_cast<char>(engine_());
  return id;
}

void GeneratedDirectory::AddMember() {
  TestOrganisation member("m" + Padded(members_.size()));
  member.id = *OrganisationId::FromBytes(NewId());
  member.unit = *UnitId::FromBytes(NewId());
  log_.Append(network_.ByRegistry(network_.Member(member)));
  log_.Append(SignStatement(network_.UnitKeys(member), member.identity));
  v1::Statement profile = network_.Base(member);
  profile.mutable_profile()->add_reporting_duties(v1::REPORTING_DUTY_CHILD_HARM);
  profile.mutable_profile()->set_law_enforcement_relationship(
      v1::LAW_ENFORCEMENT_RELATIONSHIP_CASE_BY_CASE);
  profile.mutable_profile()->set_faith_participation(Once(8) ? v1::FAITH_PARTICIPATION_OPTIONAL
                                                             : v1::FAITH_PARTICIPATION_NONE);
  log_.Append(SignStatement(profile, member.identity));
  members_.push_back(std::move(member));
}

void GeneratedDirectory::AddService() {
  static const std::vector<uint32_t> kCodes = CodesByFrequency();
  const size_t number = services_.size();
  const TestOrganisation& member = members_.back();
  v1::Service service = network_.Service(member).service();
  service.set_service_id(NewId());
  service.set_handle("s" + Padded(number));
  service.set_code(kCodes[Skewed(kCodes.size())]);
  if (Once(6)) service.add_secondary_codes(kCodes[Skewed(kCodes.size())]);
  service.set_accepts_waitlist(Once(3));
  service.set_step_free(Once(3));
  if (Once(3)) service.mutable_populations()->set_children(Once(2));
  if (Once(4)) service.set_max_stay_days(7 + 7 * static_cast<uint32_t>(Skewed(24)));
  Place(service);
  AddConditions(service);
  for (size_t more = Skewed(4) + 1; more > 0; --more) {
    v1::ServiceLanguage& language = *service.add_languages();
    language.set_tag(kLanguages[Skewed(kLanguages.size())]);
    language.set_spoken_by_staff(!Once(3));
  }
  log_.Append(Say(OwnerOf(number), 1, service));
  if (!Once(10)) capacities_.push_back(Say(OwnerOf(number), 1, MakeCapacity(service)));
  services_.push_back(std::move(service));
}

void GeneratedDirectory::Place(v1::Service& service) {
  const auto area = [this] { return "XA-" + std::to_string(Skewed(kAreas) + 10); };
  service.clear_service_areas();
  for (size_t more = Skewed(4) + 1; more > 0; --more) service.add_service_areas(area());
  const bool home = CategoryOf(service.code()) == 200;
  service.set_remote_delivery(!home && Once(6));
  service.set_location_kind(home && !Once(3) ? v1::LOCATION_KIND_REDACTED
                                             : v1::LOCATION_KIND_ADDRESSED);
  service.set_capacity_unit(home ? v1::CAPACITY_UNIT_BED : v1::CAPACITY_UNIT_SLOT);
}

void GeneratedDirectory::AddConditions(v1::Service& service) {
  for (size_t more = Skewed(4); more > 0; --more) {
    v1::Condition& condition = *service.add_conditions();
    condition.set_condition_id(service.handle() + "-" + std::to_string(more));
    condition.set_kind(kConditions[Skewed(kConditions.size())]);
    condition.set_value("VALUE_" + std::to_string(engine_() % 20));
    condition.set_strength(Once(4) ? v1::CONDITION_STRENGTH_SOMETIMES
                                   : v1::CONDITION_STRENGTH_REQUIRED);
  }
}

v1::Capacity GeneratedDirectory::MakeCapacity(const v1::Service& service) {
  v1::Capacity capacity;
  capacity.set_service_id(service.service_id());
  capacity.set_status(static_cast<v1::CapacityStatus>(1 + Skewed(4)));
  // A fifth has run out.
  const bool fresh = !Once(5);
  capacity.set_updated_minute(MinuteOf(TestNow() - absl::Hours(2)));
  capacity.set_valid_until_minute(MinuteOf(TestNow() + absl::Hours(fresh ? 12 : -1)));
  if (service.location_kind() != v1::LOCATION_KIND_REDACTED && Once(2)) {
    capacity.set_maximum(4 + static_cast<uint32_t>(engine_() % 20));
    capacity.set_available(static_cast<uint32_t>(Skewed(capacity.maximum())));
  }
  return capacity;
}

v1::SignedStatement GeneratedDirectory::Say(size_t member, uint64_t version,
                                            const v1::Service& service) const {
  v1::Statement statement = network_.Base(members_[member], version);
  *statement.mutable_service() = service;
  return SignStatement(statement, members_[member].identity);
}

v1::SignedStatement GeneratedDirectory::Say(size_t member, uint64_t version,
                                            const v1::Capacity& capacity) const {
  v1::Statement statement = network_.Base(members_[member], version);
  *statement.mutable_capacity() = capacity;
  return SignStatement(statement, members_[member].identity);
}

std::vector<v1::WatchDirectoryResponse> GeneratedDirectory::Log() const {
  std::vector<v1::WatchDirectoryResponse> responses;
  const uint64_t last = log_.Head().revision();
  for (uint64_t from = 0; from < last; from += kResponseSize) {
    responses.push_back(log_.After(from, std::min<uint64_t>(from + kResponseSize, last)));
    responses.back().set_caught_up(false);
  }
  for (size_t at = 0; at < capacities_.size(); ++at) {
    if (at % kResponseSize == 0) *responses.emplace_back().mutable_head() = log_.Head();
    *responses.back().add_capacities() = capacities_[at];
    responses.back().set_capacity_revision(at + 1);
  }
  responses.back().set_caught_up(true);
  return responses;
}

v1::WatchDirectoryResponse GeneratedDirectory::NextCapacity(size_t service) {
  v1::WatchDirectoryResponse response;
  *response.mutable_head() = log_.Head();
  const uint64_t version = next_version_++;
  *response.add_capacities() = Say(OwnerOf(service), version, MakeCapacity(services_[service]));
  response.set_capacity_revision(capacities_.size() + version);
  response.set_caught_up(true);
  return response;
}

v1::WatchDirectoryResponse GeneratedDirectory::NextService(size_t service) {
  const uint64_t before = log_.Head().revision();
  log_.Append(Say(OwnerOf(service), next_version_++, services_[service]));
  return log_.After(before);
}

uint32_t GeneratedDirectory::MostCommonCode() const {
  std::map<uint32_t, size_t> counts;
  uint32_t most = 0;
  for (const v1::Service& service : services_) {
    if (++counts[service.code()] > counts[most]) most = service.code();
  }
  return most;
}

}  // namespace waymark::node
