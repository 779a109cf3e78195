// For tests that look at a store's files from outside.
#pragma once

#include <gtest/gtest.h>
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

  static std::vector<std::string> Content(Store& store) {
    auto content = ContentOf(store, kCount);
    EXPECT_TRUE(content.ok()) << content.status();
    return content.ok() ? *std::move(content) : std::vector<std::string>();
  }
  static std::vector<std::string> ContentAt(const std::string& path) {
    const auto store = OpenAt(path);
    return store == nullptr ? std::vector<std::string>() : Content(*store);
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
};

}  // namespace waymark::hub
