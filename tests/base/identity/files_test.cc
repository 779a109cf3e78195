#include "base/identity/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"
#include "tests/base/crypto/test_support.h"

namespace waymark {
namespace {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string folder = testing::TempDir() + "files_test.XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  static mode_t ModeOf(const std::string& path) {
    struct stat info;
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
  }

  std::string folder_;
};

TEST_F(FilesTest, ASecretIsItsOwnersAlone) {
  ASSERT_TRUE(WriteSecretFile(Path("key.pem"), SecretBytes::CopyOf("secret")).ok());
  EXPECT_EQ(ModeOf(Path("key.pem")), 0600u);
  EXPECT_EQ(ReadSecretFile(Path("key.pem"))->view(), "secret");
}

TEST_F(FilesTest, AnythingElseIsForEveryone) {
  ASSERT_TRUE(WritePublicFile(Path("ca.pem"), "certificate").ok());
  EXPECT_EQ(ModeOf(Path("ca.pem")), 0644u);
  EXPECT_EQ(*ReadPublicFile(Path("ca.pem")), "certificate");
}

TEST_F(FilesTest, WritingAgainReplacesAndLeavesNothingBeside) {
  ASSERT_TRUE(WritePublicFile(Path("key.pem"), "a longer first content").ok());
  ASSERT_TRUE(WriteSecretFile(Path("key.pem"), SecretBytes::CopyOf("second")).ok());
  EXPECT_EQ(ReadSecretFile(Path("key.pem"))->view(), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_),
                          std::filesystem::directory_iterator()),
            1);
}

TEST_F(FilesTest, ASecretThatOthersMayReadIsRefused) {
  ASSERT_TRUE(WriteSecretFile(Path("key.pem"), SecretBytes::CopyOf("secret")).ok());
  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    ASSERT_EQ(chmod(Path("key.pem").c_str(), mode), 0);
    EXPECT_EQ(ReasonOf(ReadSecretFile(Path("key.pem"))), v1::REASON_FILE_UNUSABLE) << mode;
  }
}

TEST_F(FilesTest, ErrorsNameTheFile) {
  const auto missing = ReadSecretFile(Path("missing.pem"));
  EXPECT_EQ(ReasonOf(missing), v1::REASON_FILE_UNUSABLE);
  EXPECT_NE(std::string(missing.status().message()).find("missing.pem"), std::string::npos);
  EXPECT_EQ(ReasonOf(WriteSecretFile(Path("no/folder/key.pem"), SecretBytes(3))),
            v1::REASON_FILE_UNUSABLE);
  EXPECT_EQ(ReasonOf(ReadPublicFile(folder_)), v1::REASON_FILE_UNUSABLE);
}

TEST_F(FilesTest, AHugeFileIsRefused) {
  ASSERT_TRUE(WritePublicFile(Path("huge"), std::string((1 << 20) + 1, 'x')).ok());
  EXPECT_EQ(ReasonOf(ReadPublicFile(Path("huge"))), v1::REASON_FILE_UNUSABLE);
}

}  // namespace
}  // namespace waymark
