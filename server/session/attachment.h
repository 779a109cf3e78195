// What the dispatcher knows of one attachment: what of its mailbox is under way, what lies ready,
// and what is left in the store. The dispatcher's own, and guarded by its lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids/ids.h"
#include "server/session/dispatcher.h"
#include "server/store/store.h"

namespace waymark::hub {

struct Dispatcher::Attachment {
  struct Unacked {
    uint64_t sequence;
    size_t bytes;
  };

  AttachmentId id = 0;
  OrganisationId organisation;
  Options options;
  MailboxView view = MailboxView::kAll;
  std::weak_ptr<DeliverySink> sink;

  // Whether the store has numbered this session and its sink knows, its number, and the greatest of
  // other processes.
  bool claimed = false;
  uint64_t claim = 0;
  uint64_t peer_claim = 0;

  // Everything of the view up to here has been delivered.
  uint64_t delivered_to = 0;
  // Everything of the view up to here has been delivered or is in `ready`.
  uint64_t taken_to = 0;
  std::deque<MailboxItem> ready;
  size_t ready_bytes = 0;
  // Whether the mailbox may hold more after `taken_to`.
  bool behind = true;
  // What was committed while a page was being read without the lock.
  bool added_meanwhile = false;
  bool dropped_meanwhile = false;

  std::deque<Unacked> unacked;
  size_t unacked_bytes = 0;

  std::vector<MessageId> offline;
  bool runnable = false;
  // Whether the thread is about to read a page for it.
  bool wants_page = false;
  // Its sink is being called, without the lock: nobody else may, nor erase it.
  bool calling = false;
  bool ended = false;
  // What the sink is told when it has ended.
  std::optional<v1::Reason> reason;

  bool Full() const {
    return ready.size() >= options.window_messages || ready_bytes >= options.window_bytes;
  }
};

}  // namespace waymark::hub
