// A made-up directory of any size, for benchmarks and for tests of growth.
//
// The same options give the same members, services and capacity: codes, areas and languages are
// spread as in real directories, a few of them often and most of them rarely. Some services are at
// a hidden place, some remote, some set conditions, and the capacity of some is unknown or has run
// out. Only keys and signatures differ from run to run. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/ids/ids.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

class GeneratedDirectory {
 public:
  struct Options {
    size_t services = 1000;
    // One member, with one unit, for so many services.
    size_t services_per_member = 30;
    uint32_t seed = 1;
  };

  explicit GeneratedDirectory(const Options& options);

  const TestDirectory& network() const { return network_; }
  size_t services() const { return services_.size(); }
  size_t members() const { return members_.size(); }

  // The whole log and all capacity, in responses of the size that the hub sends.
  std::vector<v1::WatchDirectoryResponse> Log() const;

  // A response with nothing but the next capacity of one service.
  v1::WatchDirectoryResponse NextCapacity(size_t service);
  // A response with nothing but the next version of one service.
  v1::WatchDirectoryResponse NextService(size_t service);

  // The code that most services offer.
  uint32_t MostCommonCode() const;

 private:
  void AddMember();
  void AddService();
  v1::Capacity MakeCapacity(const v1::Service& service);
  v1::SignedStatement Say(size_t member, uint64_t version, const v1::Service& service) const;
  v1::SignedStatement Say(size_t member, uint64_t version, const v1::Capacity& capacity) const;
  void Place(v1::Service& service);
  void AddConditions(v1::Service& service);
  // A number below `bound`; small ones are more likely.
  size_t Skewed(size_t bound);
  // True once in `of` times.
  bool Once(unsigned of) { return engine_() % of == 0; }
  std::string NewId();
  size_t OwnerOf(size_t service) const { return service / options_.services_per_member; }

  const Options options_;
  std::mt19937 engine_;
  TestDirectory network_;
  std::vector<TestOrganisation> members_;
  std::vector<v1::Service> services_;
  HubLog log_;
  std::vector<v1::SignedStatement> capacities_;
  uint64_t next_version_ = 2;
};

}  // namespace waymark::node
