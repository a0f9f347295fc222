// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/file_faults.h"
#include "penstock/base/machine.h"

namespace penstock::memory {
namespace {

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "penstock-map-XXXXXX").string();
    const int fd = mkstemp(pattern.data());
    ASSERT_GE(fd, 0);
    path_ = pattern;
    fd_ = Fd(fd);
  }
  void TearDown() override { unlink(path_.c_str()); }

  void fill(std::int64_t bytes) const {
    std::string data(static_cast<std::size_t>(bytes), '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 + i / 4096);
    write_fully(fd_.get(), data.data(), bytes, 0, path_);
    sync_data(fd_.get(), path_);
  }

  /// Resident bytes of the mapping at `address`, as the kernel counts them.
  static std::int64_t resident(const void* address) {
    std::ifstream in("/proc/self/smaps");
    std::ostringstream wanted;
    wanted << std::hex << reinterpret_cast<std::uintptr_t>(address) << '-';
    bool found = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(wanted.str())) found = true;
      if (found && line.starts_with("Rss:")) return std::stoll(line.substr(4)) * 1024;
    }
    return -1;
  }

  static void touch(const MappedFile& map) {
    volatile std::byte sink{};
    for (std::int64_t i = 0; i < map.size(); i += page_size()) sink = map.data()[i];
    static_cast<void>(sink);
  }

  std::string path_;
  Fd fd_;
};

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  fill(100'001);
  const MappedFile map(fd_.get(), 100'001, path_);
  ASSERT_TRUE(static_cast<bool>(map));
  EXPECT_EQ(map.size(), 100'001);
  std::string data(100'001, '\0');
  ASSERT_EQ(read_fully(fd_.get(), data.data(), 100'001, 0, path_), 100'001);
  EXPECT_EQ(std::memcmp(map.data(), data.data(), data.size()), 0);
}

TEST_F(MappedFileTest, AnEmptyFileIsNoMapping) {
  const MappedFile map(fd_.get(), 0, path_);
  EXPECT_FALSE(static_cast<bool>(map));
  EXPECT_EQ(map.size(), 0);
  EXPECT_EQ(map.residency(0, 10), 1.0);
  map.drop(0, 10);
  map.will_need(0, 10);
}

TEST_F(MappedFileTest, MovesItsMapping) {
  fill(5000);
  MappedFile a(fd_.get(), 5000, path_);
  const std::byte* const data = a.data();
  MappedFile b(std::move(a));
  EXPECT_EQ(b.data(), data);
  EXPECT_FALSE(static_cast<bool>(a));  // NOLINT(bugprone-use-after-move): the moved-from state is the contract
  MappedFile c;
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(c.size(), 5000);
}

TEST_F(MappedFileTest, UnmapsWhatItMapped) {
  fill(1 << 20);
  const void* address = nullptr;
  {
    const MappedFile map(fd_.get(), 1 << 20, path_);
    address = map.data();
    EXPECT_GE(resident(address), 0);
  }
  EXPECT_EQ(resident(address), -1);
}

TEST_F(MappedFileTest, FailsWithPathAndErrno) {
  fill(5000);
  const FileFaults faults({.nth = 1, .error = ENOMEM}, &FileCalls::mmap);
  try {
    const MappedFile map(fd_.get(), 5000, path_);
    FAIL() << "mapped";
  } catch (const FileError& error) {
    EXPECT_EQ(error.sys_errno(), ENOMEM);
    EXPECT_EQ(std::string(error.what()), path_ + ": cannot map 4.9 KiB: Cannot allocate memory");
  }
}

TEST_F(MappedFileTest, DropsThePagesInsideTheRangeOnly) {
  const std::int64_t page = page_size();
  fill(64 * page + 10);
  const MappedFile map(fd_.get(), 64 * page + 10, path_);
  touch(map);
  ASSERT_EQ(resident(map.data()), 65 * page);
  map.drop(page - 1, page + 1);
  EXPECT_EQ(resident(map.data()), 65 * page) << "no whole page is inside";
  map.drop(1, 3 * page - 1);
  EXPECT_EQ(resident(map.data()), 64 * page) << "page 1 only";
  map.drop(60 * page, map.size());
  EXPECT_EQ(resident(map.data()), 59 * page) << "the last page counts up to the end of the file";
  map.drop(-5, 100 * page);
  EXPECT_EQ(resident(map.data()), 0);
  EXPECT_EQ(map.residency(0, map.size()), 1.0) << "the page cache keeps them";
  EXPECT_EQ(map.data()[64 * page + 9], std::byte(static_cast<char>((64 * page + 9) * 31 + (64 * page + 9) / 4096)));
}

TEST_F(MappedFileTest, KnowsWhatThePageCacheHolds) {
  const std::int64_t page = page_size();
  const std::int64_t pages = 2000;
  fill(pages * page);
  const MappedFile map(fd_.get(), pages * page, path_);
  EXPECT_EQ(map.residency(0, map.size()), 1.0);
  // The second half leaves the cache; a file system in memory can't do that.
  ASSERT_EQ(posix_fadvise(fd_.get(), pages / 2 * page, 0, POSIX_FADV_DONTNEED), 0);
  if (map.residency(pages / 2 * page, map.size()) == 1.0) GTEST_SKIP() << "this file system keeps its pages";
  EXPECT_EQ(map.residency(0, pages / 2 * page), 1.0);
  // A folio that reaches over the border stays whole.
  EXPECT_LT(map.residency(pages / 2 * page, map.size()), 0.1);
  EXPECT_NEAR(map.residency(0, map.size()), 0.5, 0.05);
  EXPECT_EQ(map.residency(0, 1), 1.0);
  EXPECT_EQ(map.residency(5, 5), 1.0) << "nothing is missing of nothing";
}

TEST_F(MappedFileTest, SamplesAtMost256Pages) {
  const std::int64_t page = page_size();
  fill(2000 * page);
  const MappedFile map(fd_.get(), 2000 * page, path_);
  const FileFaults counter({}, &FileCalls::mincore);
  map.residency(0, map.size());
  EXPECT_EQ(counter.calls(), 256);
  map.residency(10 * page + 5, 12 * page + 5);
  EXPECT_EQ(counter.calls(), 256 + 3);
}

TEST_F(MappedFileTest, WillNeedBringsPagesIn) {
  const std::int64_t page = page_size();
  fill(256 * page);
  const MappedFile map(fd_.get(), 256 * page, path_);
  ASSERT_EQ(posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  if (map.residency(0, map.size()) == 1.0) GTEST_SKIP() << "this file system keeps its pages";
  map.will_need(3 * page + 17, 5 * page);
  double residency = 0;
  for (int i = 0; i < 2000 && residency < 1.0; ++i) {
    residency = map.residency(3 * page, 5 * page);
    usleep(1000);
  }
  EXPECT_EQ(residency, 1.0);
}

TEST_F(MappedFileTest, FailedAdviceIsNoError) {
  fill(3 * page_size());
  const MappedFile map(fd_.get(), 3 * page_size(), path_);
  const FileFaults faults({.nth = 1, .sticky = true, .error = EINVAL});
  map.drop(0, map.size());
  map.will_need(0, map.size());
  EXPECT_EQ(map.residency(0, map.size()), 0.0) << "unknown counts as not resident";
  EXPECT_EQ(faults.calls(), 2 + 3);
}

}  // namespace
}  // namespace penstock::memory
