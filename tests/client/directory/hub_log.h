// The hub's log of the directory, as far as a replica sees it.
#pragma once

#include <string>
#include <vector>

#include "base/directory/statement.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

class HubLog {
 public:
  // Appends an entry; with `replaced`, only its digest is shown, as for one that a later entry of
  // the same subject replaced.
  void Append(const v1::SignedStatement& statement, bool replaced = false) {
    v1::DirectoryEntry& entry = entries_.emplace_back();
    entry.set_revision(entries_.size());
    entry.set_digest(StatementDigest(statement));
    if (!replaced) *entry.mutable_statement() = statement;
    heads_.push_back(NextHead(heads_.back(), entry.digest()));
  }

  v1::DirectoryHead Head(uint64_t revision) const {
    v1::DirectoryHead head;
    head.set_revision(revision);
    head.set_hash(heads_.at(revision));
    return head;
  }
  v1::DirectoryHead Head() const { return Head(entries_.size()); }

  // What a watch sends after `revision`, up to `through` (0: all).
  v1::WatchDirectoryResponse After(uint64_t revision, uint64_t through = 0) const {
    v1::WatchDirectoryResponse response;
    const uint64_t last = through == 0 ? entries_.size() : through;
    for (uint64_t i = revision; i < last; ++i) *response.add_entries() = entries_.at(i);
    *response.mutable_head() = Head(last);
    response.set_caught_up(last == entries_.size());
    return response;
  }

 private:
  std::vector<v1::DirectoryEntry> entries_;
  std::vector<std::string> heads_ = {EmptyHead()};
};

}  // namespace waymark::node
