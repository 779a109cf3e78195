// The suite that every backend of the store passes.
//
// A backend instantiates StoreConformance with a StoreBackend: how to get a fresh medium, and from
// the medium how to open it, again and again; what happens to it in between is the suite's
// business. The tests are in store_conformance.cc (traffic), documents_conformance.cc (directory
// and registry) and durability_conformance.cc.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace waymark::hub {

// What the medium does to writes.
enum class Refusal { kNone, kFull, kUnavailable };

// Where a store of the backend keeps its data; gone with the object. At most one store is open on
// it.
class StoreMedium {
 public:
  virtual ~StoreMedium() = default;
  virtual absl::StatusOr<std::unique_ptr<Store>> Open() = 0;
  // The program and arguments that open this medium and write to it as tests/.../crash_writer.cc
  // does.
  virtual std::vector<std::string> CrashWriter() const = 0;
  // Replaces the data, while no store is open, by a copy, as a restore from a backup does.
  virtual void Restore() = 0;
  // From now on every write ends as `refusal` says.
  virtual void Refuse(Refusal refusal) = 0;
};

struct StoreBackend {
  std::string name;
  std::function<std::unique_ptr<StoreMedium>()> create;

  friend void PrintTo(const StoreBackend& backend, std::ostream* out) { *out << backend.name; }
};

class StoreConformance : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Store& store() { return *store_; }
  StoreMedium& medium() { return *medium_; }

  // Closes the store, and opens it again.
  void Close() { store_.reset(); }
  void Open();
  void Reopen() {
    Close();
    Open();
  }

  // Commits as one batch, successfully.
  void Commit(std::vector<Effects> batch);
  // Delivers `items` and returns them with their sequences.
  std::vector<MailboxItem> Deliver(std::vector<MailboxItem> items);
  // Everything that a mailbox shows at SampleTime.
  std::vector<MailboxItem> Mailbox(uint64_t mailbox, MailboxView view = MailboxView::kAll);
  std::vector<uint64_t> Sequences(uint64_t mailbox, MailboxView view = MailboxView::kAll);
  LoadedState Load(const StateKeys& keys);

 private:
  std::unique_ptr<StoreMedium> medium_;
  std::unique_ptr<Store> store_;
};

// The sequences of `items`.
std::vector<uint64_t> SequencesOf(const std::vector<MailboxItem>& items);

}  // namespace waymark::hub
