// Words that Waymark's own HSDS exports use, and how codes of other directories become ours.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/schema/catalogue.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// The taxonomies of attributes in our exports: a service code, and a field of the directory that
// HSDS has no counterpart for, as canonical JSON of a Service or Capacity with only that field.
inline constexpr char kServiceTaxonomy[] = "waymark-services";
inline constexpr char kFieldTaxonomy[] = "waymark-fields";
inline constexpr char kCapacityTerm[] = "capacity";
inline constexpr char kUnitScheme[] = "waymark";
inline constexpr int kMinutesOfDay = 1440;
// Of languages.
inline constexpr char kSpokenByStaff[] = "Spoken by staff";

// What the administrator says about the words of a source.
struct TermTables {
  // Code or name of a taxonomy term, or a mapping's word, to a service code.
  std::map<std::string, uint32_t> services;
  // Name of a service area to an area code.
  std::map<std::string, std::string> areas;
};

// Whether this is an area code: letters and digits in up to three parts, "XA", "XA-M".
bool IsAreaCode(std::string_view text);

// Whether this looks like a BCP-47 tag: "ti", "pt-BR".
bool IsLanguageTag(std::string_view text);

// "6e0c24a4-..." to and from 16 bytes; nullopt for anything else.
std::optional<std::string> FromUuid(std::string_view text);
std::string ToUuid(std::string_view bytes);

// The service code for an Open Eligibility id; 0 if none or more than one has it.
uint32_t FromOpenEligibility(const Catalogue& catalogue, uint32_t id);

// "BED" and the like; CAPACITY_UNIT_UNSPECIFIED if it is none.
v1::CapacityUnit UnitOfWord(std::string_view word);
std::string WordOfUnit(v1::CapacityUnit unit);

// A day as "2027-03-09", from the beginning of a date or a time; nullopt if it is none.
std::optional<v1::Date> DayOf(std::string_view text);
std::string DayText(const v1::Date& date);

}  // namespace waymark::node
