#include "client/listing/hsds_package.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "client/csv/csv.h"
#include "client/listing/hsds_writer.h"
#include "client/listing/record_value.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

using google::protobuf::Value;

constexpr char kEnding[] = ".csv";
constexpr size_t kEndingSize = sizeof(kEnding) - 1;

// A table that a package may have, and its columns as HSDS names them. The columns of joins come
// first and are not fields of the object that a row becomes.
struct TableSpec {
  const char* name;
  std::vector<std::string> joins;
  std::vector<std::string> columns;
};

const std::vector<TableSpec>& Specs() {
  static const auto& specs = *new std::vector<TableSpec>{
      {"services",
       {"organization_id", "program_id"},
       {"id",
        "name",
        "alternate_name",
        "description",
        "url",
        "email",
        "status",
        "interpretation_services",
        "application_process",
        "fees_description",
        "wait_time",
        "fees",
        "accreditations",
        "eligibility_description",
        "minimum_age",
        "maximum_age",
        "assured_date",
        "assurer_email",
        "licenses",
        "alert",
        "last_modified"}},
      {"organizations", {}, {"id", "name", "description"}},
      {"programs", {"organization_id"}, {"id", "name", "description"}},
      {"service_areas",
       {"service_id", "service_at_location_id"},
       {"id", "name", "description", "extent", "extent_type", "uri"}},
      {"languages", {"service_id", "location_id", "phone_id"}, {"id", "name", "code", "note"}},
      {"schedules",
       {"service_id", "location_id", "service_at_location_id"},
       {"id", "freq", "interval", "byday", "opens_at", "closes_at"}},
      {"service_at_location", {"service_id", "location_id"}, {"id", "description"}},
      {"locations", {"organization_id"}, {"id", "location_type"}},
      {"addresses", {"location_id"}, {}},
      {"accessibility", {"location_id"}, {}},
      {"phones",
       {"service_id", "location_id", "organization_id", "contact_id", "service_at_location_id"},
       {}},
      {"contacts", {"service_id", "location_id", "organization_id", "service_at_location_id"}, {}},
      {"cost_options", {"service_id"}, {}},
      {"required_documents", {"service_id"}, {}},
      {"funding", {"service_id", "organization_id"}, {}},
      {"service_capacity",
       {"service_id", "unit_id"},
       {"id", "available", "maximum", "description", "updated"}},
      {"units", {}, {"id", "name", "scheme", "identifier", "uri"}},
      {"attributes", {"link_id", "taxonomy_term_id"}, {"id", "link_entity", "value"}},
      {"taxonomy_terms", {"taxonomy_id"}, {"id", "code", "name", "description", "taxonomy"}},
      {"metadata", {"resource_id"}, {}},
      {"organization_identifiers", {"organization_id"}, {}},
      {"taxonomies", {}, {}},
      {"meta_table_descriptions", {}, {}},
      {"url", {}, {}},
  };
  return specs;
}

const TableSpec& SpecOf(std::string_view name) {
  for (const TableSpec& spec : Specs()) {
    if (spec.name == name) return spec;
  }
  return Specs().front();
}

// A column by which the table is found says nothing of its own; one that leads further is needed.
bool IsBackReference(const std::string& table, const std::string& column) {
  const std::vector<std::string>& joins = SpecOf(table).joins;
  const bool leads_further = column == "unit_id" || column == "taxonomy_term_id" ||
                             (table == "service_at_location" && column == "location_id");
  return !leads_further && std::find(joins.begin(), joins.end(), column) != joins.end();
}

auto& FieldsOf(Value& value) { return *value.mutable_struct_value()->mutable_fields(); }

std::string TextOf(const std::map<std::string, std::string>& row, const std::string& column) {
  const auto cell = row.find(column);
  return cell == row.end() ? "" : cell->second;
}

}  // namespace

absl::StatusOr<HsdsPackage> HsdsPackage::Open(const std::filesystem::path& folder) {
  HsdsPackage package;
  uint64_t bytes = 0;
  for (const TableSpec& spec : Specs()) {
    const std::string name = absl::StrCat(spec.name, kEnding);
    std::ifstream in(folder / name, std::ios::binary);
    if (!in) continue;
    auto table = CsvReader::Open(in);
    if (!table.ok()) return Annotate(table.status(), name);
    Rows& rows = package.tables_[spec.name];
    while (true) {
      auto row = table->NextByName();
      if (!row.ok()) return Annotate(row.status(), name);
      if (!row->has_value()) break;
      for (const auto& [column, cell] : **row) {
        if (!IsUtf8Text(cell)) return Error(v1::REASON_MALFORMED, name + " is not UTF-8 text");
      }
      if (bytes + table->position() > kMaxPackageBytes) {
        return Error(v1::REASON_MALFORMED, "the tables are larger than 256 MiB together");
      }
      rows.rows.push_back(*std::move(*row));
    }
    bytes += table->position();
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == kEnding && !package.tables_.contains(name)) {
      package.unknown_.insert(name);
    }
  }
  if (!package.tables_.contains("services")) {
    return Error(v1::REASON_FILE_UNUSABLE, folder.string() + " has no services.csv");
  }
  package.Index();
  return package;
}

bool HsdsPackage::IsTables(const Value& value) {
  return value.has_struct_value() && value.struct_value().fields().contains("services.csv");
}

HsdsPackage HsdsPackage::FromTables(const Value& value) {
  HsdsPackage package;
  for (const auto& [name, table] : value.struct_value().fields()) {
    if (!absl::EndsWith(name, kEnding)) continue;
    Rows& rows = package.tables_[name.substr(0, name.size() - kEndingSize)];
    for (const Value& entry : table.list_value().values()) {
      std::set<std::string> read;
      Row row;
      for (const auto& [column, cell] : entry.struct_value().fields()) {
        std::string text = RecordField(entry, read)[column].text();
        if (!text.empty()) row[column] = std::move(text);
      }
      rows.rows.push_back(std::move(row));
    }
  }
  package.Index();
  return package;
}

void HsdsPackage::Index() {
  for (auto& [name, table] : tables_) {
    table.used.resize(table.rows.size());
    std::vector<std::string> columns = SpecOf(name).joins;
    columns.emplace_back("id");
    for (size_t i = 0; i < table.rows.size(); ++i) {
      for (const std::string& column : columns) {
        const std::string value = TextOf(table.rows[i], column);
        if (!value.empty()) table.by[column].emplace(value, i);
      }
    }
  }
}

const HsdsPackage::Rows& HsdsPackage::Table(const std::string& name) const {
  static const auto& none = *new Rows();
  const auto table = tables_.find(name);
  return table == tables_.end() ? none : table->second;
}

std::vector<Value> HsdsPackage::Find(const std::string& table, const std::string& column,
                                     const std::string& value) {
  std::vector<Value> found;
  const auto rows = tables_.find(table);
  if (rows == tables_.end() || value.empty()) return found;
  const auto [begin, end] = rows->second.by[column].equal_range(value);
  for (auto at = begin; at != end; ++at) {
    rows->second.used[at->second] = true;
    Value& object = found.emplace_back();
    object.mutable_struct_value();
    for (const auto& [name, cell] : rows->second.rows[at->second]) {
      if (!IsBackReference(table, name)) FieldsOf(object)[name].set_string_value(cell);
    }
  }
  return found;
}

void HsdsPackage::Join(Value& object, const std::string& name, const std::string& table,
                       const std::string& column, const std::string& value) {
  std::vector<Value> rows = Find(table, column, value);
  if (rows.empty()) return;
  auto& list = *FieldsOf(object)[name].mutable_list_value();
  for (Value& row : rows) *list.add_values() = std::move(row);
}

void HsdsPackage::JoinOne(Value& object, const std::string& name, const std::string& table,
                          const std::string& id) {
  std::vector<Value> rows = Find(table, "id", id);
  if (!rows.empty()) FieldsOf(object)[name] = std::move(rows.front());
}

void HsdsPackage::JoinPlaces(Value& object, const std::string& service_id) {
  for (Value& place : Find("service_at_location", "service_id", service_id)) {
    const std::string id = FieldsOf(place)["id"].string_value();
    const std::string location_id = FieldsOf(place)["location_id"].string_value();
    Join(place, "service_areas", "service_areas", "service_at_location_id", id);
    Join(place, "schedules", "schedules", "service_at_location_id", id);
    JoinOne(place, "location", "locations", location_id);
    if (place.struct_value().fields().contains("location")) {
      FieldsOf(place).erase("location_id");
      Value& location = FieldsOf(place)["location"];
      Join(location, "addresses", "addresses", "location_id", location_id);
      Join(location, "accessibility", "accessibility", "location_id", location_id);
      Join(location, "languages", "languages", "location_id", location_id);
    }
    *FieldsOf(object)["service_at_locations"].mutable_list_value()->add_values() = std::move(place);
  }
}

Value HsdsPackage::Service(size_t index) {
  Rows& services = tables_["services"];
  services.used[index] = true;
  Value service;
  service.mutable_struct_value();
  for (const auto& [name, cell] : services.rows[index]) {
    FieldsOf(service)[name].set_string_value(cell);
  }
  const std::string id = TextOf(services.rows[index], "id");
  constexpr std::array<const char*, 8> kOwned = {"service_areas", "languages",         "schedules",
                                                 "phones",        "contacts",          "funding",
                                                 "cost_options",  "required_documents"};
  for (const char* table : kOwned) Join(service, table, table, "service_id", id);
  Join(service, "capacities", "service_capacity", "service_id", id);
  Join(service, "attributes", "attributes", "link_id", id);
  JoinPlaces(service, id);
  for (const auto& [column, name, table] :
       {std::tuple{"organization_id", "organization", "organizations"},
        std::tuple{"program_id", "program", "programs"}}) {
    JoinOne(service, name, table, TextOf(services.rows[index], column));
    if (service.struct_value().fields().contains(name)) FieldsOf(service).erase(column);
  }
  // A row further: the unit of a capacity, the term of an attribute.
  for (const auto& [list, column, name, table] :
       {std::tuple{"capacities", "unit_id", "unit", "units"},
        std::tuple{"attributes", "taxonomy_term_id", "taxonomy_term", "taxonomy_terms"}}) {
    if (!service.struct_value().fields().contains(list)) continue;
    for (Value& entry : *FieldsOf(service)[list].mutable_list_value()->mutable_values()) {
      const std::string leads_to = FieldsOf(entry)[column].string_value();
      JoinOne(entry, name, table, leads_to);
      if (entry.struct_value().fields().contains(name)) FieldsOf(entry).erase(column);
    }
  }
  return service;
}

std::set<std::string> HsdsPackage::Unjoined() const {
  std::set<std::string> names;
  for (const std::string& name : unknown_) names.insert(absl::StrCat(name, kEnding, "[]"));
  for (const auto& [name, table] : tables_) {
    for (const bool used : table.used) {
      if (!used) names.insert(absl::StrCat(name, kEnding, "[]"));
    }
  }
  return names;
}

namespace {

// Fills the tables of a package from services as WriteHsds makes them.
class PackageWriting {
 public:
  explicit PackageWriting(HsdsVersion version) : version_(version) {}

  void Add(const Value& service) {
    const auto& fields = service.struct_value().fields();
    const std::string id = fields.at("id").string_value();
    const Value& organisation = fields.at("organization");
    const std::string organisation_id = IdOf(organisation);
    Row("services", service, {{"organization_id", organisation_id}});
    Once("organizations", organisation);
    for (const char* table : {"service_areas", "languages", "schedules"}) {
      for (const Value& entry : List(service, table)) Row(table, entry, {{"service_id", id}});
    }
    for (const Value& place : List(service, "service_at_locations")) {
      const Value& location = place.struct_value().fields().at("location");
      Row("service_at_location", place, {{"service_id", id}, {"location_id", IdOf(location)}});
      Row("locations", location, {{"organization_id", organisation_id}});
    }
    for (const Value& room : List(service, "capacities")) {
      const Value& unit = room.struct_value().fields().at("unit");
      Row("service_capacity", room, {{"service_id", id}, {"unit_id", IdOf(unit)}});
      Once("units", unit);
    }
    for (const Value& attribute : List(service, "attributes")) {
      const Value& term = attribute.struct_value().fields().at("taxonomy_term");
      Row("attributes", attribute, {{"link_id", id}, {"taxonomy_term_id", IdOf(term)}});
      Once("taxonomy_terms", term);
    }
  }

  std::map<std::string, std::string> Finish() {
    std::map<std::string, std::string> files;
    Value package;
    FieldsOf(package)["name"].set_string_value(version_ == HsdsVersion::k30 ? "hsds-3-0"
                                                                            : "hsds-3-1");
    for (const auto& [table, lines] : lines_) {
      const std::string name = absl::StrCat(table, kEnding);
      files[name] = CsvLine(Columns(table)) + lines;
      Value resource;
      FieldsOf(resource)["name"].set_string_value(table);
      FieldsOf(resource)["path"].set_string_value(name);
      *FieldsOf(package)["resources"].mutable_list_value()->add_values() = std::move(resource);
    }
    files["datapackage.json"] = ToJson(package).value_or("{}") + "\n";
    return files;
  }

 private:
  static std::string IdOf(const Value& value) {
    return value.struct_value().fields().at("id").string_value();
  }

  static std::vector<Value> List(const Value& value, const std::string& name) {
    const auto field = value.struct_value().fields().find(name);
    if (field == value.struct_value().fields().end()) return {};
    const auto& values = field->second.list_value().values();
    return {values.begin(), values.end()};
  }

  std::vector<std::string> Columns(const std::string& table) const {
    const TableSpec& spec = SpecOf(table);
    std::vector<std::string> columns = spec.columns;
    columns.insert(columns.begin() + 1, spec.joins.begin(), spec.joins.end());
    // 3.0 knows areas of services alone.
    if (version_ == HsdsVersion::k30 && table == "service_areas") {
      std::erase(columns, "service_at_location_id");
    }
    return columns;
  }

  void Row(const std::string& table, const Value& value,
           const std::map<std::string, std::string>& joins) {
    std::set<std::string> read;
    std::vector<std::string> cells;
    for (const std::string& column : Columns(table)) {
      cells.push_back(joins.contains(column) ? joins.at(column)
                                             : RecordField(value, read)[column].text());
    }
    lines_[table] += CsvLine(cells);
  }

  void Once(const std::string& table, const Value& value) {
    if (seen_.insert(table + "/" + IdOf(value)).second) Row(table, value, {});
  }

  const HsdsVersion version_;
  std::map<std::string, std::string> lines_;
  std::set<std::string> seen_;
};

}  // namespace

std::map<std::string, std::string> WriteHsdsPackage(const std::vector<Value>& services,
                                                    HsdsVersion version) {
  PackageWriting writing(version);
  for (const Value& service : services) writing.Add(service);
  std::map<std::string, std::string> files = writing.Finish();
  // Without any service there is still the table of services.
  files.try_emplace("services.csv", CsvLine(SpecOf("services").columns));
  return files;
}

}  // namespace waymark::node
