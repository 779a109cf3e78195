// A disk that loses power.
//
// Becomes SQLite's way to the disk in this process. While the power is on it behaves; it keeps
// apart what was written to each file since that file was last synced, and which names a folder
// held when it was last synced. When the power is cut, after a given number of writes, truncations,
// syncs and deletions, all further ones fail, as they would for a process that is gone. Settle then
// leaves what such a disk may hold: what was synced, and of everything later any part, in sectors
// of 512 bytes, each of which is there or not; a file whose name was not synced may be gone, and
// one whose deletion was not may be back.
//
// What is not written through SQLite counts as synced when it was opened, its name apart: the
// process's own fsync and fdatasync are replaced by ones that note which folders were synced, and
// sync nothing.
//
// Threads: SQLite may use it from any; the functions are one thread's, and Settle is called once
// every connection is closed. One disk per process, for one folder at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/random/random.h"

namespace waymark::torture {

// For PowerOn and FillUpAt.
inline constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// Makes the disk SQLite's way to the disk, if it is not yet, and turns the power on: what `folder`
// holds now is durable. The power goes with operation `cut_at`, counted from 1: a write or a
// truncation may then have happened in part, a sync or a deletion has not.
void PowerOn(const std::string& folder, uint64_t cut_at = kNever);

// Cuts the power now.
void PowerOff();

// Whether the power is gone.
bool PowerIsCut();

// Since PowerOn.
uint64_t Operations();

// From this operation on the disk is full: writes fail and change nothing, until this is called
// again.
void FillUpAt(uint64_t operation);

// Leaves in the folder what the disk may hold, as `random` decides; cuts the power first if it is
// still on.
void Settle(Random& random);

}  // namespace waymark::torture
