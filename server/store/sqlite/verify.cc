#include "server/store/sqlite/verify.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status/status.h"
#include "server/store/sqlite/copy.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"
#include "server/store/sqlite/store_file.h"
#include "waymark/v1/common.pb.h"

namespace waymark::hub {
namespace {

// What every file of SQLite begins with.
constexpr std::string_view kFormat("SQLite format 3\0", 16);

constexpr char kTableNames[] =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
    "'\\' ORDER BY name";
// Tables and indexes with their columns, without what a migration may have left otherwise.
constexpr char kColumns[] =
    "SELECT s.name, t.name, t.type, t.\"notnull\", t.pk FROM sqlite_schema AS s JOIN "
    "pragma_table_info(s.name) AS t WHERE s.type = 'table' UNION ALL SELECT s.name, i.name, '', "
    "i.seqno, 0 FROM sqlite_schema AS s JOIN pragma_index_info(s.name) AS i WHERE s.type = 'index' "
    "ORDER BY 1, 2, 4";
constexpr char kStrayMarks[] =
    "SELECT count(*) FROM told AS t LEFT JOIN item AS i ON i.sequence = t.sequence WHERE "
    "i.sequence IS NULL OR i.urgency NOT IN (?, ?)";
constexpr char kYoungest[] =
    "SELECT max(at) FROM (SELECT max(stored_at) AS at FROM item UNION ALL SELECT max(minute) FROM "
    "routing UNION ALL SELECT max(registered_at) FROM token UNION ALL SELECT max(requested_at) "
    "FROM "
    "enrolment)";

std::string BrokenAt(const std::string& called, const std::string& where) {
  return called + " is broken, " + where;
}

absl::Status Broken(const std::string& called, const std::string& where, const std::string& what) {
  return Error(v1::REASON_DATA_CORRUPT, BrokenAt(called, where) + " " + what);
}

// As a name in SQL.
std::string Name(const std::string& text) {
  std::string name = "\"";
  for (const char c : text) {
    name += c;
    if (c == '"') name += c;
  }
  return name + "\"";
}

// Whether an error of SQLite says nothing about what is in the file.
bool IsOfTheMachine(int code) {
  if (code == SQLITE_IOERR_SHORT_READ) return false;
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_BUSY:
    case SQLITE_FULL:
      return true;
    default:
      return false;
  }
}

// Looks at one database. The statements are made of the names of its tables.
class Verifier {
 public:
  Verifier(std::unique_ptr<Connection> connection, std::string called)
      : called_(std::move(called)), connection_(std::move(connection)) {}

  absl::StatusOr<StoreSight> Verify(int64_t bytes, bool has_log) {
    sight_.bytes = bytes;
    RETURN_IF_ERROR(CheckIdentity());
    if (!has_log) RETURN_IF_ERROR(Judge("the file", CheckLength()));
    RETURN_IF_ERROR(CheckWholeStructure());
    RETURN_IF_ERROR(Judge("the schema", CheckColumns()));
    ASSIGN_OR_RETURN(const std::vector<std::string> tables, Tables());
    for (const std::string& table : tables) {
      RETURN_IF_ERROR(Judge("table " + table, CheckRows(table)));
    }
    RETURN_IF_ERROR(Judge("table told", CheckMarks()));
    RETURN_IF_ERROR(Judge("the file", FindYoungest()));
    return std::move(sight_);
  }

 private:
  // Says of an error where it was found.
  absl::Status Judge(const std::string& where, const absl::Status& status) {
    if (status.ok()) return status;
    const int code = sqlite3_extended_errcode(connection_->handle());
    if (ReasonOf(status) == v1::REASON_DATA_CORRUPT) {
      return Annotate(status, BrokenAt(called_, where));
    }
    if (IsOfTheMachine(code)) return Annotate(status, called_);
    return Broken(called_, where, std::string("cannot be read: ") + sqlite3_errstr(code));
  }

  absl::StatusOr<Statement> Prepare(std::string sql) {
    // The connection knows a statement by the address of its text.
    return connection_->Prepare(sql_.emplace_back(std::move(sql)).c_str());
  }

  absl::Status CheckIdentity() {
    const absl::StatusOr<int> version = ReadSchemaVersion(*connection_);
    if (ReasonOf(version.status()) == v1::REASON_FILE_UNUSABLE) {
      return Error(v1::REASON_FILE_UNUSABLE, called_ + " is a database of another program");
    }
    if (!version.ok()) return Judge("the file", version.status());
    sight_.version = *version;
    if (*version >= 1 && *version <= kSchemaVersion) return absl::OkStatus();
    return Error(v1::REASON_VERSION_UNSUPPORTED,
                 called_ + " has schema version " + std::to_string(*version) +
                     " and this program reads up to version " + std::to_string(kSchemaVersion) +
                     "; use the program that wrote it");
  }

  absl::StatusOr<int64_t> Number(const char* sql) {
    ASSIGN_OR_RETURN(Statement query, connection_->Prepare(sql));
    ASSIGN_OR_RETURN(const bool found, query.Step());
    return found ? query.Int() : 0;
  }

  absl::Status CheckLength() {
    ASSIGN_OR_RETURN(const int64_t pages, Number("PRAGMA page_count"));
    ASSIGN_OR_RETURN(const int64_t page, Number("PRAGMA page_size"));
    if (sight_.bytes >= pages * page) return absl::OkStatus();
    return Error(v1::REASON_DATA_CORRUPT, "it ends too early");
  }

  // Names the tables that are hit, if that can still be told.
  absl::Status CheckWholeStructure() {
    absl::Status whole = CheckStructure(*connection_);
    if (whole.ok()) return whole;
    std::string hit;
    const absl::StatusOr<std::vector<std::string>> tables = Tables();
    for (const std::string& table : tables.value_or(std::vector<std::string>())) {
      auto check = Prepare("PRAGMA integrity_check(" + Name(table) + ")");
      const bool fine = check.ok() && check->Step().value_or(false) && check->Bytes() == "ok";
      if (!fine) hit += (hit.empty() ? "table " : ", ") + table;
    }
    return Judge(hit.empty() ? "the file" : hit, whole);
  }

  absl::StatusOr<std::vector<std::string>> Tables() {
    std::vector<std::string> tables;
    ASSIGN_OR_RETURN(Statement names, connection_->Prepare(kTableNames));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, names.Step());
      if (!found) return tables;
      tables.push_back(names.Bytes());
    }
  }

  static absl::StatusOr<std::vector<std::string>> ColumnsOf(Connection& connection) {
    std::vector<std::string> columns;
    ASSIGN_OR_RETURN(Statement rows, connection.Prepare(kColumns));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, rows.Step());
      if (!found) return columns;
      std::string& column = columns.emplace_back(rows.Bytes());
      column += "." + rows.Bytes();
      column += " " + rows.Bytes();
      column += " " + std::to_string(rows.Int());
      column += " " + std::to_string(rows.Int());
    }
  }

  // An older schema is what the migration expects of it, and is left to that.
  absl::Status CheckColumns() {
    if (sight_.version != kSchemaVersion) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto made, Connection::Open(":memory:", SQLITE_OPEN_READWRITE, ""));
    RETURN_IF_ERROR(MakeTables(*made));
    ASSIGN_OR_RETURN(const auto wanted, ColumnsOf(*made));
    ASSIGN_OR_RETURN(const auto found, ColumnsOf(*connection_));
    if (found == wanted) return absl::OkStatus();
    return Error(v1::REASON_DATA_CORRUPT, "the tables are not those of a hub's store");
  }

  absl::Status CheckRows(const std::string& table) {
    ASSIGN_OR_RETURN(Statement rows, Prepare("SELECT * FROM " + Name(table)));
    const int columns = rows.columns();
    const bool summed = rows.name(columns - 1) == "sum";
    int64_t& count = sight_.rows[table];
    while (true) {
      ASSIGN_OR_RETURN(const bool found, rows.Step());
      if (!found) return absl::OkStatus();
      ++count;
      if (!summed) continue;
      int column = 0;
      // The one key that no sum covers, because it has one value only.
      if (table == "meta") {
        rows.Skip();
        ++column;
      }
      for (; column < columns - 1; ++column) {
        if (rows.AtNumber()) {
          rows.Int();
        } else {
          rows.Bytes();
        }
      }
      RETURN_IF_ERROR(rows.CheckSum());
    }
  }

  // Marks go with their messages, in one transaction.
  absl::Status CheckMarks() {
    if (!sight_.rows.contains("told")) return absl::OkStatus();
    ASSIGN_OR_RETURN(Statement query, connection_->Prepare(kStrayMarks));
    query.Bind(int64_t{v1::URGENCY_U0}).Bind(int64_t{v1::URGENCY_U1});
    RETURN_IF_ERROR(query.Step().status());
    if (query.Int() == 0) return absl::OkStatus();
    return Error(v1::REASON_DATA_CORRUPT, "a mark belongs to no urgent message");
  }

  absl::Status FindYoungest() {
    ASSIGN_OR_RETURN(Statement query, connection_->Prepare(kYoungest));
    RETURN_IF_ERROR(query.Step().status());
    if (query.AtNumber()) sight_.youngest = query.Time();
    return absl::OkStatus();
  }

  const std::string called_;
  // Outlive the connection, which refers to them.
  std::deque<std::string> sql_;
  const std::unique_ptr<Connection> connection_;
  StoreSight sight_;
};

// What changes when somebody writes to a file.
using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long>;

absl::StatusOr<FileState> StateOf(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return Error(v1::REASON_FILE_UNUSABLE, "there is no file " + path);
    return SystemError("look at", path);
  }
  if (!S_ISREG(file.st_mode)) {
    return Error(v1::REASON_FILE_UNUSABLE, path + " is no file");
  }
  return FileState(file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec,
                   file.st_mtim.tv_nsec);
}

// A folder for the copy of a file and its log; goes with everything in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code none;
    path_ = std::filesystem::temp_directory_path(none) / "waymark-verify-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

absl::StatusOr<StoreSight> VerifyWithLog(const std::string& path) {
  const ScratchFolder folder;
  if (folder.path().empty()) return SystemError("make a folder for a copy of", path);
  ASSIGN_OR_RETURN(const auto copy, PartialFile::Begin(folder.path() + "/store"));
  absl::Status copied = CopyFile(path, *copy);
  if (ReasonOf(copied) == v1::REASON_DATA_CORRUPT) {
    return Annotate(copied, BrokenAt(path, "the write-ahead log"));
  }
  RETURN_IF_ERROR(copied);
  return VerifyFile(copy->path(), path);
}

}  // namespace

absl::StatusOr<StoreSight> VerifyFile(const std::string& path, const std::string& called) {
  ASSIGN_OR_RETURN(const FileState state, StateOf(path));
  const auto bytes = static_cast<int64_t>(std::get<2>(state));
  if (bytes == 0) return Broken(called, "the file", "is empty");
  std::string format(kFormat.size(), '\0');
  if (!std::ifstream(path, std::ios::binary).read(format.data(), std::ssize(format)) ||
      format != kFormat) {
    return Error(v1::REASON_FILE_UNUSABLE, called + " is no store of a hub, or its head is broken");
  }
  ASSIGN_OR_RETURN(const FileSum sum, CheckFileSum(path));
  if (sum == FileSum::kBroken) {
    return Broken(called, "the file", "is not as it was when the copy was made");
  }
  auto connection = OpenUnchanged(path);
  if (!connection.ok()) return Annotate(connection.status(), BrokenAt(called, "the file"));
  Verifier verifier(*std::move(connection), called);
  ASSIGN_OR_RETURN(StoreSight sight, verifier.Verify(bytes, /*has_log=*/false));
  sight.summed = sum == FileSum::kHolds;
  return sight;
}

absl::StatusOr<StoreSight> VerifyHeldStore(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection, OpenReader(path));
  ASSIGN_OR_RETURN(const FileState state, StateOf(path));
  Verifier verifier(std::move(connection), path);
  return verifier.Verify(std::get<2>(state), /*has_log=*/true);
}

absl::Status WhileUnchanged(const std::string& path, absl::FunctionRef<absl::Status()> read) {
  if (FileLock::Held(path + ".lock")) {
    return Error(v1::REASON_UNAVAILABLE,
                 path +
                     " is in use by a hub and changes all the time; `waymark-hub backup` makes a "
                     "copy of it and verifies that");
  }
  ASSIGN_OR_RETURN(const FileState before, StateOf(path));
  absl::Status done = read();
  ASSIGN_OR_RETURN(const FileState after, StateOf(path));
  if (before == after) return done;
  return Error(v1::REASON_UNAVAILABLE, path + " has changed while it was read");
}

absl::StatusOr<StoreSight> VerifyStore(const std::string& path) {
  absl::StatusOr<StoreSight> sight;
  RETURN_IF_ERROR(WhileUnchanged(path, [&] {
    sight = HasLog(path) ? VerifyWithLog(path) : VerifyFile(path, path);
    return sight.status();
  }));
  return sight;
}

}  // namespace waymark::hub
