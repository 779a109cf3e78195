// For tests that look at a store's files from outside.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random/random.h"
#include "server/store/sqlite/sqlite_store.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {

// A folder with room for a store, hub.db, and for copies.
class StoreFolderTest : public ::testing::Test {
 public:
  // Of each table.
  using Rows = std::map<std::string, std::vector<std::string>>;

 protected:
  // Enough for several of everything.
  static constexpr uint64_t kCount = 30;

  std::unique_ptr<Store> OpenStore() { return OpenAt(medium_.path()); }

  static std::unique_ptr<Store> OpenAt(const std::string& path) {
    auto store = SqliteStore::Open({.path = path, .random = &SystemRandom()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // An open store with something in every table.
  std::unique_ptr<Store> OpenFullStore() {
    auto store = OpenStore();
    const absl::Status filled = FillStore(*store, kCount);
    EXPECT_TRUE(filled.ok()) << filled;
    return store;
  }

  // Every row of every table, as the file has it, but for who the store is: what opening a copy
  // would change.
  static Rows RowsIn(const std::string& path) {
    sqlite3* file = nullptr;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &file, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    Rows rows;
    for (const std::string& table :
         Select(file, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta'")) {
      rows[table] = Select(file, "SELECT * FROM \"" + table + "\" ORDER BY 1");
    }
    sqlite3_close(file);
    EXPECT_FALSE(rows.empty()) << path;
    return rows;
  }

  std::string In(const std::string& name) const { return medium_.folder() + "/" + name; }
  std::string path() const { return medium_.path(); }

  // Names and contents of all files there, but for the store's lock.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(medium_.folder())) {
      if (!entry.is_regular_file() || entry.path().extension() == ".lock") continue;
      files[entry.path().string()] = Bytes(entry.path());
    }
    return files;
  }

  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void WriteBytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  static unsigned ModeOf(const std::string& path) {
    struct stat file = {};
    EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
    return file.st_mode & 0777U;
  }

  // What a power cut would leave of an open store, at `to`: its file and its write-ahead log.
  void CopyAsKilled(const std::string& to) const {
    for (const char* beside : {"", "-wal"}) {
      std::filesystem::copy_file(path() + beside, to + beside,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }

  SqliteMedium medium_;

 private:
  // The values of each row, joined.
  static std::vector<std::string> Select(sqlite3* file, const std::string& sql) {
    std::vector<std::string> rows;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(file, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sql;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      std::string& row = rows.emplace_back();
      for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
        const int size = sqlite3_column_bytes(statement, column);
        if (column > 0) row += '|';
        if (bytes != nullptr) row.append(bytes, static_cast<size_t>(size));
      }
    }
    sqlite3_finalize(statement);
    return rows;
  }
};

}  // namespace waymark::hub
