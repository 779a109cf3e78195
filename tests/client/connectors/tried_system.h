// The systems that the conformance suite of connectors is run against, each the real thing.
//
// A system holds records (a key and a note) and says things (texts in their order), which its
// connector reads as updates. Each object is a fresh one and gone with it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"

namespace waymark::node {

class TriedSystem {
 public:
  virtual ~TriedSystem() = default;

  // What a mapping returns for a record with this note, and what an item of the updates says.
  virtual std::string RecordOf(const std::string& note) const;
  virtual std::string SaidIn(const std::string& item) const;

  // What a configuration says of a connector to it, but for `name`: YAML, not indented.
  virtual std::string Settings() const = 0;
  // The notes by their keys.
  virtual std::map<std::string, std::string> Notes() = 0;
  // Says more; a mapping sees each as the member `said`, or where SaidIn finds it.
  virtual void Say(const std::vector<std::string>& texts) = 0;
  // Out of reach, and back again.
  virtual void Break() = 0;
  virtual void Mend() = 0;
  // From now on it takes no record.
  virtual void Deny() = 0;
  // From now on it does what it is told and its answers are lost. Only of systems behind HTTP.
  virtual void LoseAnswers() {}
  // Of a system that is a process, while it is not broken; 0 otherwise.
  virtual int pid() const { return 0; }
  // Whether a text may hold U+0000.
  virtual bool holds_zero() const { return true; }
};

struct TriedSystemKind {
  std::string name;
  std::function<std::unique_ptr<TriedSystem>()> create;

  friend void PrintTo(const TriedSystemKind& kind, std::ostream* out) { *out << kind.name; }
};

std::unique_ptr<TriedSystem> MakeSqliteSystem();
std::unique_ptr<TriedSystem> MakePostgresSystem();
std::unique_ptr<TriedSystem> MakeHttpSystem();
std::unique_ptr<TriedSystem> MakeFhirSystem();
std::unique_ptr<TriedSystem> MakeJsonFilesSystem();
std::unique_ptr<TriedSystem> MakeCsvFilesSystem();
std::unique_ptr<TriedSystem> MakeCommandSystem();

// Makes or opens the connector that `settings` (as TriedSystem::Settings) describe.
absl::StatusOr<std::unique_ptr<Connector>> MakeFrom(const std::string& settings, Clock& steady);
absl::StatusOr<std::unique_ptr<Connector>> OpenFrom(const std::string& settings, Clock& steady);

}  // namespace waymark::node
