// SQLite's way to the disk for a connection that writes: its write-ahead log goes there in large
// pieces.
//
// SQLite writes every page of a transaction to the log with two calls, which for a small
// transaction cost as much as the rest of it. Here writes that follow on one another are joined in
// memory, and go to the file together when it is synced, read, measured, cut or closed, when one
// does not follow, or when 128 KiB are full. All else is the default VFS's, also for every other
// file.
//
// Only for connections with PRAGMA synchronous = FULL: they sync the log before they show a
// transaction to anybody, so that whatever another connection looks for is in the file. A write
// that fails late is the failure of the call that demanded it, hence of the transaction; it is
// dropped, and SQLite writes the same place again.
//
// Threads: JoinedLogVfs any; a file belongs to its connection.
#pragma once

namespace waymark::hub {

// The name under which SQLite knows it; registers it the first time.
const char* JoinedLogVfs();

}  // namespace waymark::hub
