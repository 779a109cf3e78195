// Writes services of the directory as HSDS 3.0 or 3.1.
//
// What HSDS has a place for stands there; what it has none for, or what its own form would not
// bring back, stands in attributes of the taxonomy "waymark-fields", so that HsdsReader returns the
// very same service. Ids depend on the service alone. A confidential place is written without any
// location and without occupancy. Room without the time when it was said stands in an attribute
// only. Names are handles: no text says what a service is for.
//
// Pure and thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/schema/catalogue.h"
#include "google/protobuf/struct.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

enum class HsdsVersion { k30, k31 };

struct ExportedService {
  v1::Service service;
  std::optional<v1::Capacity> capacity;
  // 16 bytes and the name of the organisation.
  std::string organisation_id;
  std::string organisation_name;
};

// A service with its organisation, as HSDS's service_full has it.
google::protobuf::Value WriteHsds(const Catalogue& catalogue, const ExportedService& exported,
                                  HsdsVersion version);

// Services in a page of HSDS's API, the form of a file with many.
google::protobuf::Value HsdsPage(const std::vector<google::protobuf::Value>& services);

// The tables of a CSV package by file name, datapackage.json among them.
std::map<std::string, std::string> WriteHsdsPackage(
    const std::vector<google::protobuf::Value>& services, HsdsVersion version);

}  // namespace waymark::node
