// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/file_faults.h"

namespace penstock {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-file-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string make(const std::string& name, const std::string& contents) const {
    std::ofstream(path(name), std::ios::binary) << contents;
    return path(name);
  }
  Fd open_to_write(const std::string& name) const {
    return Fd(::open(path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  std::string directory_;
};

/// The text and errno of the E that `body` throws.
template <class E>
std::pair<std::string, int> thrown(const std::function<void()>& body) {
  try {
    body();
  } catch (const E& error) {
    return {error.what(), error.sys_errno()};
  } catch (const std::exception& other) {
    ADD_FAILURE() << "another error: " << other.what();
    return {other.what(), -1};
  }
  ADD_FAILURE() << "no error";
  return {"", -1};
}

TEST_F(FileTest, OpensRegularFilesAndReportsTheirFacts) {
  const std::string file = make("a", "hello");
  const Fd fd = open_regular(file);
  const FileFacts facts = file_facts(fd.get(), file);
  EXPECT_EQ(facts.size, 5);
  struct stat expected = {};
  ASSERT_EQ(stat(file.c_str(), &expected), 0);
  EXPECT_EQ(facts.inode, expected.st_ino);
  EXPECT_EQ(facts.device, expected.st_dev);
  EXPECT_EQ(facts.modified_ns, expected.st_mtim.tv_sec * 1'000'000'000 + expected.st_mtim.tv_nsec);
}

TEST_F(FileTest, NamesAMissingFileAndTheReason) {
  const auto [text, error] = thrown<FileError>([&] { open_regular(path("missing")); });
  EXPECT_NE(text.find(path("missing") + ": cannot open for reading: No such file or directory"), std::string::npos)
      << text;
  EXPECT_EQ(error, ENOENT);
}

TEST_F(FileTest, RefusesWhatIsNoRegularFileWithoutHanging) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const Fd server(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path("socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const auto& [name, kind] : std::vector<std::pair<std::string, std::string>>{{path("fifo"), "a FIFO"},
                                                                                   {path("socket"), "socket"},
                                                                                   {"/dev/null", "a character device"},
                                                                                   {directory_, "a directory"}}) {
    const auto [text, error] = thrown<UnsafePathError>([&, file = name] { open_regular(file); });
    EXPECT_NE(text.find(name), std::string::npos) << text;
    EXPECT_NE(text.find(kind), std::string::npos) << text;
    EXPECT_NE(text.find("expected a regular file"), std::string::npos) << text;
  }
}

TEST_F(FileTest, RefusesPathsTheSystemWouldReadOtherwise) {
  EXPECT_THROW(open_regular(""), UnsafePathError);
  make("a", "x");
  EXPECT_THROW(open_regular(path("a") + std::string("\0.npy", 5)), UnsafePathError);
  EXPECT_THROW(open_directory_of(""), UnsafePathError);
}

TEST_F(FileTest, MapsErrorsToTheirClassAndFix) {
  for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
    const auto [text, number] = thrown<NoSpaceError>([&] { raise_errno("/p", 7, "cannot write", error); });
    EXPECT_TRUE(text.starts_with("/p at byte 7: cannot write: ")) << text;
    EXPECT_NE(text.find("; "), std::string::npos) << text;
    EXPECT_EQ(number, error);
  }
  const auto [text, number] = thrown<FileError>([] { raise_errno("/p", -1, "cannot open", EMFILE); });
  EXPECT_EQ(text, "/p: cannot open: Too many open files; close some files or raise the limit (ulimit -n)");
  EXPECT_EQ(number, EMFILE);
  EXPECT_EQ(thrown<FileError>([] { raise_errno("/p", 0, "cannot read", EIO); }).first,
            "/p at byte 0: cannot read: Input/output error");
}

TEST_F(FileTest, ReadsToTheEndInShortSteps) {
  const std::string file = make("a", "0123456789");
  const Fd fd = open_regular(file);
  for (const std::int64_t longest : {0, 1, 3, 9}) {
    const FileFaults faults({.longest = longest});
    std::string data(16, '.');
    EXPECT_EQ(read_fully(fd.get(), data.data(), 16, 2, file), 8);
    EXPECT_EQ(data, "23456789........");
    EXPECT_EQ(read_fully(fd.get(), data.data(), 4, 10, file), 0);
  }
}

TEST_F(FileTest, WritesAllInShortSteps) {
  const Fd fd = open_to_write("a");
  for (const std::int64_t longest : {0, 1, 3, 9}) {
    ASSERT_EQ(ftruncate(fd.get(), 0), 0);
    const FileFaults faults({.longest = longest});
    write_fully(fd.get(), "0123456789", 10, 0, "a");
    std::string data(10, '.');
    EXPECT_EQ(read_fully(fd.get(), data.data(), 10, 0, "a"), 10);
    EXPECT_EQ(data, "0123456789");
  }
}

TEST_F(FileTest, RestartsInterruptedCallsAndGivesUpOnAStorm) {
  const std::string file = make("a", "0123456789");
  const Fd fd = open_regular(file);
  char data[10];
  {
    const FileFaults once({.nth = 1, .error = EINTR});
    EXPECT_EQ(read_fully(fd.get(), data, 10, 0, file), 10);
    EXPECT_EQ(once.calls(), 2);
  }
  const FileFaults always({.nth = 1, .sticky = true, .error = EINTR});
  EXPECT_EQ(thrown<FileError>([&] { read_fully(fd.get(), data, 10, 0, file); }).second, EINTR);
  EXPECT_EQ(thrown<FileError>([&] { write_fully(fd.get(), data, 10, 0, file); }).second, EINTR);
  EXPECT_EQ(thrown<FileError>([&] { sync_data(fd.get(), file); }).second, EINTR);
}

TEST_F(FileTest, ReportsWhereAReadOrWriteFailed) {
  const std::string file = make("a", "0123456789");
  const Fd fd = open_to_write("a");
  char data[10] = {};
  {
    const FileFaults faults({.nth = 3, .error = EIO, .longest = 3});
    const auto [text, error] = thrown<FileError>([&] { read_fully(fd.get(), data, 10, 0, file); });
    EXPECT_TRUE(text.starts_with(file + " at byte 6: cannot read 4 B: Input/output error")) << text;
  }
  const FileFaults faults({.nth = 2, .error = ENOSPC, .longest = 4});
  const auto [text, error] = thrown<NoSpaceError>([&] { write_fully(fd.get(), data, 10, 0, file); });
  EXPECT_TRUE(text.starts_with(file + " at byte 4: cannot write 6 B: No space left")) << text;
}

TEST_F(FileTest, ReservesSpaceOrSaysWhatIsMissing) {
  const Fd fd = open_to_write("a");
  EXPECT_TRUE(reserve_space(fd.get(), 100'000, "a"));
  EXPECT_EQ(file_facts(fd.get(), "a").size, 100'000);
  EXPECT_TRUE(reserve_space(fd.get(), 0, "a"));
  for (const int error : {EOPNOTSUPP, ENOSYS}) {
    const FileFaults faults({.nth = 1, .error = error});
    EXPECT_FALSE(reserve_space(fd.get(), 200'000, "a"));
  }
  const FileFaults faults({.nth = 1, .error = ENOSPC});
  const auto [text, error] = thrown<NoSpaceError>([&] { reserve_space(fd.get(), 3 << 20, "a"); });
  EXPECT_TRUE(text.starts_with("a: cannot reserve 3 MiB (3145728 bytes), ")) << text;
  EXPECT_NE(text.find("bytes) free: No space left on device; free some space"), std::string::npos) << text;
}

TEST_F(FileTest, ReportsEveryFailedSyncAndClose) {
  const Fd fd = open_to_write("a");
  sync_data(fd.get(), "a");
  for (const int error : {EIO, ENOSPC, EDQUOT}) {
    const FileFaults faults({.nth = 1, .error = error});
    EXPECT_THROW(sync_data(fd.get(), "a"), Error);
    EXPECT_EQ(faults.calls(), 1) << "a failed sync is never repeated";
  }
  const Fd directory = open_directory_of(path("a"));
  sync_directory(directory.get(), "a");
  {
    const FileFaults faults({.nth = 1, .error = EIO});
    EXPECT_THROW(sync_directory(directory.get(), "a"), FileError);
  }
  {
    const FileFaults faults({.nth = 1, .error = EINVAL});
    EXPECT_NO_THROW(sync_directory(directory.get(), "a"));
  }
  {
    const FileFaults faults({.nth = 1, .error = EIO});
    EXPECT_THROW(close_checked(open_to_write("b"), "b"), FileError);
  }
  const FileFaults faults({.nth = 1, .error = EINTR});
  EXPECT_NO_THROW(close_checked(open_to_write("c"), "c"));
}

TEST_F(FileTest, FindsTheDirectoryOfAPath) {
  make("a", "x");
  const Fd directory = open_directory_of(path("a"));
  EXPECT_EQ(faccessat(directory.get(), "a", F_OK, 0), 0);
  struct stat root = {};
  struct stat found = {};
  ASSERT_EQ(stat("/", &root), 0);
  ASSERT_EQ(fstat(open_directory_of("/a").get(), &found), 0);
  EXPECT_EQ(found.st_ino, root.st_ino);
  ASSERT_EQ(stat(".", &root), 0);
  ASSERT_EQ(fstat(open_directory_of("a").get(), &found), 0);
  EXPECT_EQ(found.st_ino, root.st_ino);
  EXPECT_EQ(thrown<FileError>([&] { open_directory_of(path("no/a")); }).second, ENOENT);
  EXPECT_EQ(thrown<FileError>([&] { open_directory_of(path("a/b")); }).second, ENOTDIR);
  EXPECT_EQ(file_name_of("/x/y.npy"), "y.npy");
  EXPECT_EQ(file_name_of("y.npy"), "y.npy");
  EXPECT_EQ(file_name_of("/x/"), "");
}

TEST_F(FileTest, FdOwnsItsDescriptorOnce) {
  const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) >= 0; };
  Fd a = open_to_write("a");
  const int number = a.get();
  Fd b(std::move(a));
  EXPECT_EQ(a.get(), -1);  // NOLINT(bugprone-use-after-move): the moved-from state is the contract
  EXPECT_TRUE(is_open(number));
  Fd c = open_to_write("c");
  const int other = c.get();
  c = std::move(b);
  EXPECT_FALSE(is_open(other));
  EXPECT_EQ(c.release(), number);
  EXPECT_FALSE(static_cast<bool>(c));
  EXPECT_TRUE(is_open(number));
  Fd(number).reset();
  EXPECT_FALSE(is_open(number));
}

}  // namespace
}  // namespace penstock
