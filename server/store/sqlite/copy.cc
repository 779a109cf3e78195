#include "server/store/sqlite/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "base/crypto/hash.h"
#include "base/file/descriptor.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

// Before the sum; 16 bytes.
constexpr std::string_view kSumMark = "Waymark copy sum";
constexpr off_t kSumBytes = static_cast<off_t>(kSumMark.size() + kSha256Size);
constexpr size_t kPiece = size_t{1} << 20;

// As a literal of SQL.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

// The sum over the next `size` bytes of `fd`: the hash of the hashes of their pieces, so that a
// file need not fit into memory. nullopt, with errno: they cannot be read.
std::optional<std::string> SumOf(int fd, off_t size) {
  std::string piece(kPiece, '\0');
  std::string hashes;
  while (size > 0) {
    const size_t wanted = size < static_cast<off_t>(kPiece) ? static_cast<size_t>(size) : kPiece;
    const std::optional<size_t> got = ReadAll(fd, piece.data(), wanted);
    if (!got) return std::nullopt;
    if (*got < wanted) {
      errno = EIO;
      return std::nullopt;
    }
    hashes += PlainSha256(std::string_view(piece).substr(0, wanted));
    size -= static_cast<off_t>(wanted);
  }
  return PlainSha256(hashes);
}

off_t SizeOf(int fd) {
  struct stat file = {};
  return fstat(fd, &file) == 0 ? file.st_size : 0;
}

// The sum that the file of `fd` ends with, nullopt for none; moves to where it begins.
std::optional<std::string> WrittenSum(int fd) {
  const off_t size = SizeOf(fd);
  std::string end(kSumBytes, '\0');
  if (size < kSumBytes || lseek(fd, size - kSumBytes, SEEK_SET) < 0) return std::nullopt;
  if (ReadAll(fd, end.data(), end.size()) != end.size()) return std::nullopt;
  if (!std::string_view(end).starts_with(kSumMark)) return std::nullopt;
  return end.substr(kSumMark.size());
}

absl::Status AppendFileSum(const PartialFile& file) {
  const bool begun = lseek(file.fd(), 0, SEEK_SET) == 0;
  const auto sum = begun ? SumOf(file.fd(), SizeOf(file.fd())) : std::nullopt;
  if (!sum) return SystemError("read", file.path());
  if (!WriteAll(file.fd(), std::string(kSumMark) + *sum)) return SystemError("write", file.path());
  return absl::OkStatus();
}

absl::Status CopyBytes(const std::string& from, int to, const std::string& to_path) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.ok()) return SystemError("open", from);
  std::string piece(kPiece, '\0');
  while (true) {
    const std::optional<size_t> got = ReadAll(source.get(), piece.data(), piece.size());
    if (!got) return SystemError("read", from);
    if (*got == 0) return absl::OkStatus();
    if (!WriteAll(to, std::string_view(piece).substr(0, *got))) {
      return SystemError("write", to_path);
    }
  }
}

bool HoldsSomething(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 && file.st_size > 0;
}

}  // namespace

bool HasLog(const std::string& path) { return HoldsSomething(path + "-wal"); }

absl::Status CopyAsOfNow(Connection& connection, const PartialFile& into) {
  RETURN_IF_ERROR(connection.Execute(("VACUUM INTO " + Quoted(into.path())).c_str()));
  return AppendFileSum(into);
}

absl::Status CopyFile(const std::string& from, const PartialFile& into) {
  if (HoldsSomething(from + "-journal")) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "beside " + from + " lies an unfinished transaction of another program, " + from +
                     "-journal; open the file once with that program, or take another copy");
  }
  RETURN_IF_ERROR(CopyBytes(from, into.fd(), into.path()));
  if (!HasLog(from)) return absl::OkStatus();
  const std::string log = into.path() + "-wal";
  {
    const FileDescriptor fd(
        open(log.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!fd.ok()) return SystemError("make", log);
    RETURN_IF_ERROR(CopyBytes(from + "-wal", fd.get(), log));
  }
  // Moves the log into the file and deletes it.
  return Connection::Open(into.path(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          "PRAGMA trusted_schema = OFF; PRAGMA journal_mode = DELETE;")
      .status();
}

absl::StatusOr<FileSum> CheckFileSum(const std::string& path) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return SystemError("open", path);
  const std::optional<std::string> written = WrittenSum(fd.get());
  if (!written) return FileSum::kNone;
  const bool begun = lseek(fd.get(), 0, SEEK_SET) == 0;
  const auto sum = begun ? SumOf(fd.get(), SizeOf(fd.get()) - kSumBytes) : std::nullopt;
  if (!sum) return SystemError("read", path);
  return *sum == *written ? FileSum::kHolds : FileSum::kBroken;
}

absl::Status DropFileSum(const PartialFile& file) {
  if (!WrittenSum(file.fd())) return absl::OkStatus();
  if (ftruncate(file.fd(), SizeOf(file.fd()) - kSumBytes) == 0) return absl::OkStatus();
  return SystemError("cut", file.path());
}

}  // namespace waymark::hub
