// What is done to a network, and when: drawn by seed, at moments that nobody chose.
//
// A Mortal is a process that may be killed: the hub, a node, or another server of the network, such
// as the hub's database. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "tests/torture/way.h"

namespace waymark::torture {

struct Mortal {
  std::string name;
  // Its process, while it runs.
  std::function<pid_t()> pid;
  std::function<bool()> running;
  // Starts it again, after it has died.
  std::function<absl::Status()> restart;
  // The others do not start without it.
  bool needed = false;
  // Has it die by itself at a point that only it knows; empty for one that has no such point.
  std::function<absl::Status()> die_at_its_point;
  // Takes that back, if it has not happened yet.
  std::function<void()> spare;
  // Copies what it stores while it runs, as of one moment; and puts the latest copy, as another
  // file, in the place of what it stores once it has died. Empty for one whose disk is not lost.
  std::function<absl::Status()> take_copy;
  std::function<absl::Status()> lose_disk;
};

// Sends SIGKILL to processes in a while, beside whatever is going on.
class Assassin {
 public:
  // Kills `pids`, which are nobody else's until this is joined, after `delay`.
  Assassin(std::vector<pid_t> pids, absl::Duration delay);
  // Waits until it is done.
  ~Assassin() { thread_.join(); }
  Assassin(const Assassin&) = delete;
  Assassin& operator=(const Assassin&) = delete;

 private:
  std::thread thread_;
};

// What happens once.
struct Fault {
  // For the report, for example "kill hub" or "cut lin".
  std::string name;
  // Indices of the mortals that are killed together, so long after the beginning.
  std::vector<size_t> killed;
  absl::Duration after;
  // Index of one of them that finds an older copy of its disk when it starts again, -1 for none.
  int disk_lost = -1;
  // Index of the mortal that dies at its own point instead.
  int at_its_point = -1;
  // Index of the way that is changed, -1 for none; and how it is.
  int way = -1;
  Passage passage = Passage::kOpen;
  absl::Duration delay;
  // How long the network goes on in this state before it is mended.
  absl::Duration lasts;
};

// Draws the next fault among these mortals and the ways of these names.
Fault DrawFault(const std::vector<Mortal>& mortals, const std::vector<std::string>& ways,
                Random& random);

}  // namespace waymark::torture
