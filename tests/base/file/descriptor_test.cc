// Descriptors: who closes them, and that nothing is written or read in part.
#include "base/file/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

namespace waymark {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(FileDescriptorTest, ClosesWithItsLastOwner) {
  const int fd = memfd_create("test", MFD_CLOEXEC);
  ASSERT_GE(fd, 0);
  {
    FileDescriptor first(fd);
    EXPECT_TRUE(first.ok());
    const FileDescriptor second(std::move(first));
    EXPECT_EQ(second.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(FileDescriptorTest, ClosesOnceWhenTold) {
  FileDescriptor file(memfd_create("test", MFD_CLOEXEC));
  const int fd = file.get();
  file.Close();
  EXPECT_FALSE(file.ok());
  // Whoever opens next gets the number.
  const FileDescriptor other(memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(other.get(), fd);
  file.Close();
  EXPECT_TRUE(IsOpen(fd));
}

TEST(ReadWriteAllTest, APipeTakesMoreThanItHolds) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor out(ends[0]);
  FileDescriptor in(ends[1]);
  const std::string content(size_t{1} << 20, 'x');
  std::thread writer([&] {
    EXPECT_TRUE(WriteAll(in.get(), content));
    in.Close();
  });
  std::string read(content.size() + 1, '\0');
  const auto size = ReadAll(out.get(), read.data(), read.size());
  writer.join();
  ASSERT_EQ(size, content.size());
  read.resize(*size);
  EXPECT_TRUE(read == content);
}

TEST(ReadWriteAllTest, ReadsNoMoreThanIsAskedFor) {
  const FileDescriptor file(memfd_create("test", MFD_CLOEXEC));
  ASSERT_TRUE(WriteAll(file.get(), "abcdef"));
  lseek(file.get(), 0, SEEK_SET);
  std::string buffer(4, '\0');
  EXPECT_EQ(ReadAll(file.get(), buffer.data(), buffer.size()), 4U);
  EXPECT_EQ(buffer, "abcd");
  EXPECT_EQ(ReadAll(file.get(), buffer.data(), buffer.size()), 2U);
  EXPECT_EQ(ReadAll(file.get(), buffer.data(), buffer.size()), 0U);
}

TEST(ReadWriteAllTest, SaysWhenItFails) {
  const FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.ok());
  EXPECT_FALSE(WriteAll(full.get(), "x"));
  EXPECT_EQ(errno, ENOSPC);
  char byte = 0;
  EXPECT_EQ(ReadAll(full.get(), &byte, 1), std::nullopt);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace waymark
