// One run of an import: reads a source, decides record by record, and publishes, unless it is a dry
// run.
//
//   ASSIGN_OR_RETURN(ImportReport report, RunImport(request));                      // dry run
//   request.publisher = &node; request.journal = &journal;                          // for real
//
// Each record is noted in the journal once it is settled. A run that was stopped goes on after the
// last record in the journal (`resume`), provided that the source is still the same; a run from the
// start would find what was published unchanged. What the source no longer has is withdrawn last,
// and only when the source was read to its end and every record had an id.
//
// Threads: one at a time.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/listing/journal.h"
#include "client/listing/planner.h"
#include "client/listing/source.h"
#include "waymark/local/v1/listing.pb.h"

namespace waymark::node {

// Where services are published: the node.
class ListingPublisher {
 public:
  virtual ~ListingPublisher() = default;
  virtual absl::Status PublishService(const v1::Service& service) = 0;
  virtual absl::Status PublishCapacity(const v1::Capacity& capacity) = 0;
};

struct ImportRequest {
  Source::Options source;
  ImportContext context;
  // Optional, for provenance.
  std::string licence;
  // Both or neither: without them nothing is published or noted.
  ListingPublisher* publisher = nullptr;
  Journal* journal = nullptr;
  bool resume = false;
  Source::Progress progress;
};

// Returns what was done, or would be. Errors are those of Planner::Create, Source::Read, the
// journal and the publisher. STATE_FORBIDS: nothing can be resumed, because the last run in the
// journal was finished or its source was another one.
absl::StatusOr<local::v1::ImportReport> RunImport(const Catalogue& catalogue,
                                                  ImportRequest request);

}  // namespace waymark::node
