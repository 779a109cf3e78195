#include "server/store/sqlite/joined_log.h"

#include <sqlite3.h>

#include <cstddef>
#include <new>
#include <string>

namespace waymark::hub {
namespace {

constexpr char kName[] = "waymark-joined-log";
// SQLite's own VFS for Unix takes no more at once.
constexpr size_t kMaxJoined = (size_t{1} << 17) - 1;

// What SQLite holds for an open log; the default VFS's own file lies behind it.
struct LogFile {
  sqlite3_file base = {};
  std::string joined;
  // Where `joined` belongs in the file.
  sqlite3_int64 begin = 0;
};
constexpr size_t kRealOffset = (sizeof(LogFile) + alignof(std::max_align_t) - 1) /
                               alignof(std::max_align_t) * alignof(std::max_align_t);

// Looked up each time: tests put their own in its place.
sqlite3_vfs* Default() { return sqlite3_vfs_find(nullptr); }

LogFile& LogOf(sqlite3_file* file) { return *reinterpret_cast<LogFile*>(file); }
sqlite3_file* RealOf(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kRealOffset);
}

int Flush(sqlite3_file* file) {
  LogFile& log = LogOf(file);
  if (log.joined.empty()) return SQLITE_OK;
  sqlite3_file* real = RealOf(file);
  const int code = real->pMethods->xWrite(real, log.joined.data(),
                                          static_cast<int>(log.joined.size()), log.begin);
  log.joined.clear();
  return code;
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  LogFile& log = LogOf(file);
  const auto bytes = static_cast<size_t>(size);
  const bool follows = offset == log.begin + static_cast<sqlite3_int64>(log.joined.size());
  if (!follows || log.joined.size() + bytes > kMaxJoined) {
    if (const int code = Flush(file); code != SQLITE_OK) return code;
  }
  if (log.joined.empty()) log.begin = offset;
  log.joined.append(static_cast<const char*>(data), bytes);
  return SQLITE_OK;
}

// Calls the real file's method once nothing is put off.
template <auto Method, typename... Arguments>
int AfterFlush(sqlite3_file* file, Arguments... arguments) {
  if (const int code = Flush(file); code != SQLITE_OK) return code;
  sqlite3_file* real = RealOf(file);
  return (real->pMethods->*Method)(real, arguments...);
}

template <auto Method, typename... Arguments>
int Forward(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* real = RealOf(file);
  return (real->pMethods->*Method)(real, arguments...);
}

int Close(sqlite3_file* file) {
  const int flushed = Flush(file);
  sqlite3_file* real = RealOf(file);
  const int closed = real->pMethods->xClose(real);
  LogOf(file).~LogFile();
  return flushed != SQLITE_OK ? flushed : closed;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = Close,
    .xRead = AfterFlush<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = Write,
    .xTruncate = AfterFlush<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = AfterFlush<&sqlite3_io_methods::xSync, int>,
    .xFileSize = AfterFlush<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = Forward<&sqlite3_io_methods::xLock, int>,
    .xUnlock = Forward<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = Forward<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = AfterFlush<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = Forward<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = Forward<&sqlite3_io_methods::xDeviceCharacteristics>,
};

int Open(sqlite3_vfs* self, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* real = Default();
  if ((flags & SQLITE_OPEN_WAL) == 0) return real->xOpen(real, name, file, flags, out_flags);
  if (kRealOffset + static_cast<size_t>(real->szOsFile) > static_cast<size_t>(self->szOsFile)) {
    return SQLITE_CANTOPEN;
  }
  auto* log = new (file) LogFile;
  const int code = real->xOpen(real, name, RealOf(file), flags, out_flags);
  if (code == SQLITE_OK) {
    log->base.pMethods = &kMethods;
  } else {
    log->~LogFile();
    file->pMethods = nullptr;
  }
  return code;
}

int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  return Default()->xDelete(Default(), name, sync_folder);
}

}  // namespace

const char* JoinedLogVfs() {
  static const bool kRegistered = [] {
    static sqlite3_vfs vfs = *Default();
    vfs.zName = kName;
    vfs.szOsFile += static_cast<int>(kRealOffset);
    vfs.pNext = nullptr;
    vfs.xOpen = Open;
    vfs.xDelete = Delete;
    return sqlite3_vfs_register(&vfs, /*makeDflt=*/0) == SQLITE_OK;
  }();
  static_cast<void>(kRegistered);
  return kName;
}

}  // namespace waymark::hub
