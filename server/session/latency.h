// How long items took from their submission to their confirmation, counted by kind.
//
// The committer fills one for each batch on its own thread, without a lock and without a look-up by
// name, and hands it over as a whole. Not thread-safe; a value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "waymark/v1/common.pb.h"

namespace waymark::hub {

class LatencyCounts {
 public:
  // Upper bounds of the buckets, in seconds, each inclusive; one bucket more holds what is above.
  static constexpr std::array<double, 13> kBounds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                                     0.1,    0.2,   0.5,   1,     2,    5};

  struct Counts {
    std::array<uint32_t, kBounds.size() + 1> buckets = {};
    uint32_t items = 0;
    double sum_seconds = 0;
  };

  // The items of one frame took this long.
  class Frame {
   public:
    Frame(LatencyCounts& counts, absl::Duration took)
        : counts_(counts),
          seconds_(absl::ToDoubleSeconds(took)),
          bucket_(static_cast<size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds_) -
                                      kBounds.begin())) {}

    // An item of `kind`; KIND_UNSPECIFIED stands for a registration.
    void Add(v1::Kind kind) {
      Counts& counts = counts_.by_kind_[static_cast<size_t>(kind)];
      ++counts.buckets[bucket_];
      ++counts.items;
      counts.sum_seconds += seconds_;
    }

   private:
    LatencyCounts& counts_;
    const double seconds_;
    const size_t bucket_;
  };

  static constexpr size_t kKinds = v1::Kind_ARRAYSIZE;

  // By the number of the kind.
  const std::array<Counts, kKinds>& by_kind() const { return by_kind_; }

 private:
  std::array<Counts, kKinds> by_kind_ = {};
};

}  // namespace waymark::hub
