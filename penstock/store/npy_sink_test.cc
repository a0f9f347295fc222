// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/npy_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/expect_error.h"
#include "penstock/base/file_faults.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/memory/buffer.h"
#include "penstock/store/file_source.h"
#include "penstock/store/npy_header.h"

namespace penstock::store {
namespace {

memory::Buffer random_data(std::int64_t bytes) {
  memory::Buffer data = memory::Buffer::allocate(std::max<std::int64_t>(bytes, 1 << 16), "test");
  std::mt19937_64 random(static_cast<std::uint64_t>(bytes));
  for (std::int64_t i = 0; i < bytes; ++i) data.data()[i] = static_cast<std::byte>(random());
  return data;
}

std::string text_of(const memory::Buffer& data, std::int64_t bytes) {
  return std::string(reinterpret_cast<const char*>(data.data()), static_cast<std::size_t>(bytes));
}

class NpySinkTest : public ::testing::Test {
 protected:
  std::string out() const { return directory_.path("out.npy"); }

  void save(const std::string& data, bool overwrite = true, Durability durability = Durability::kPower) const {
    NpySink sink(out(), DType::k_uint8, {static_cast<std::int64_t>(data.size())}, overwrite, durability);
    sink.write(0, data.data(), static_cast<std::int64_t>(data.size()));
    sink.commit();
  }

  /// The data of out.npy.
  std::string saved() const {
    const auto source = open_npy(out(), true);
    return directory_.get("out.npy").substr(static_cast<std::size_t>(source->format().layout.offset));
  }

  TemporaryDirectory directory_;
};

TEST_F(NpySinkTest, WritesHeaderAndDataFromByte4096) {
  const float values[] = {1, 2, 3, 4, 5, 6};
  NpySink sink(out(), DType::k_float32, {2, 3}, false);
  sink.write(0, values, sizeof values);
  EXPECT_FALSE(std::filesystem::exists(out())) << "the name comes last";
  sink.commit();
  const std::string file = directory_.get("out.npy");
  ASSERT_EQ(file.size(), 4096u + 24u);
  EXPECT_EQ(file.substr(0, 4096), make_npy_header(DType::k_float32, {2, 3}, 4096));
  EXPECT_EQ(std::memcmp(file.data() + 4096, values, sizeof values), 0);
  EXPECT_EQ(directory_.names(), std::set<std::string>{"out.npy"});
}

TEST_F(NpySinkTest, EveryDTypeAndShapeComesBack) {
  for (int i = 0; i < kDTypeCount; ++i) {
    for (const Dims& shape : {Dims{}, Dims{0}, Dims{1}, Dims{3, 0, 2}, Dims{5, 7, 11}, Dims(64, 1)}) {
      const auto dtype = static_cast<DType>(i);
      const std::int64_t bytes = count(shape) * size_of(dtype);
      const memory::Buffer data = random_data(bytes);
      NpySink sink(out(), dtype, shape, true, Durability::kProcess);
      sink.write(0, data.data(), bytes);
      sink.commit();
      const auto source = open_npy(out(), true);
      EXPECT_EQ(source->format().dtype, dtype);
      EXPECT_EQ(source->format().layout.shape, shape);
      EXPECT_EQ(saved(), text_of(data, bytes));
    }
  }
}

// Close together and pages apart, forwards and backwards.
TEST_F(NpySinkTest, CellsGoToTheirPlaces) {
  for (const std::int64_t stride : {3, 7, 4095, 4096, 10000, -3, -7, -5000}) {
    constexpr std::int64_t kCell = 3;
    const std::int64_t n = std::abs(stride) < 100 ? 100000 : 50;  // more than a window
    const std::int64_t apart = std::abs(stride);
    const memory::Buffer data = random_data(n * kCell);
    std::string expected(static_cast<std::size_t>(n * apart), 'x');
    const std::int64_t first = stride > 0 ? 0 : (n - 1) * apart;
    NpySink sink(out(), DType::k_uint8, {n * apart}, true);
    sink.write(0, expected.data(), n * apart);
    sink.write_cells(first, stride, data.data(), kCell, n);
    sink.commit();
    for (std::int64_t i = 0; i < n; ++i)
      std::memcpy(&expected[static_cast<std::size_t>(first + i * stride)], data.data() + i * kCell, kCell);
    EXPECT_EQ(saved(), expected) << "stride " << stride;
  }
}

TEST_F(NpySinkTest, ThreadsWriteCellsBetweenEachOthers) {
  constexpr std::int64_t kThreads = 4;
  constexpr std::int64_t kCells = 200000;
  NpySink sink(out(), DType::k_uint8, {kCells, kThreads}, true);
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&sink, t] {
      const std::string own(kCells, static_cast<char>('a' + t));
      sink.write_cells(t, kThreads, own.data(), 1, kCells);
    });
  }
  for (std::thread& each : threads) each.join();
  sink.commit();
  std::string expected;
  for (std::int64_t i = 0; i < kCells; ++i) expected += "abcd";
  EXPECT_EQ(saved(), expected);
}

TEST_F(NpySinkTest, FourThreadsWriteDisjointPieces) {
  const std::int64_t bytes = (20 << 20) + 777;
  const memory::Buffer data = random_data(bytes);
  for (const std::int64_t piece : {std::int64_t{4} << 20, std::int64_t{1} << 20, std::int64_t{1'000'003}, bytes}) {
    NpySink sink(out(), DType::k_uint8, {bytes}, true, Durability::kPower);
    std::atomic<std::int64_t> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::int64_t at = next.fetch_add(piece); at < bytes; at = next.fetch_add(piece)) {
          sink.write(at, data.data() + at, std::min(piece, bytes - at));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    sink.commit();
    EXPECT_TRUE(saved() == text_of(data, bytes)) << piece;
  }
}

/// Counts the pwrites that go to a descriptor with O_DIRECT.
std::atomic<int> direct_writes{0};
ssize_t counting_pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
  if ((fcntl(fd, F_GETFL) & O_DIRECT) != 0) {
    ++direct_writes;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 4096, 0u);
    EXPECT_EQ(bytes % 4096, 0u);
    EXPECT_EQ(offset % 4096, 0);
  }
  return pwrite(fd, data, bytes, offset);
}

TEST_F(NpySinkTest, LargeAlignedWritesBypassThePageCache) {
  const std::int64_t bytes = (2 << 20) + 100;
  const memory::Buffer data = random_data(bytes);
  const Fd probe(::open(directory_.put("probe", "x").c_str(), O_WRONLY | O_DIRECT));
  if (!probe) GTEST_SKIP() << "this file system has no O_DIRECT";
  const auto direct = [&](std::int64_t at, std::int64_t offset, std::int64_t length) {
    const int before = direct_writes;
    NpySink sink(out(), DType::k_uint8, {bytes}, true, Durability::kNone);
    sink.write(offset, data.data() + at, length);
    return direct_writes - before;
  };
  file_calls().pwrite = counting_pwrite;
  EXPECT_EQ(direct(0, 0, 1 << 20), 1);
  EXPECT_EQ(direct(0, 0, bytes), 1) << "all but the tail";
  EXPECT_EQ(direct(100, 100, 1 << 20), 1) << "all but head and tail";
  EXPECT_EQ(direct(100, 0, 1 << 20), 0) << "memory and file are out of step";
  EXPECT_EQ(direct(0, 0, 64 << 10), 0) << "small";
  file_calls() = system_file_calls();
}

TEST_F(NpySinkTest, AShortDirectWriteIsNoRefusal) {
  const std::int64_t bytes = 4 << 20;
  const memory::Buffer data = random_data(bytes);
  NpySink sink(out(), DType::k_uint8, {bytes}, true);
  const Fd probe(::open(directory_.put("probe", "x").c_str(), O_WRONLY | O_DIRECT));
  if (!probe) GTEST_SKIP() << "this file system has no O_DIRECT";
  direct_writes = 0;
  file_calls().pwrite = [](int fd, const void* from, std::size_t length, off_t offset) {
    const ssize_t n = counting_pwrite(fd, from, length, offset);
    return direct_writes == 1 && n > 5000 ? ssize_t{5000} : n;  // the first one, as far as the sink is told
  };
  sink.write(0, data.data(), bytes / 2);
  sink.write(bytes / 2, data.data() + bytes / 2, bytes / 2);
  EXPECT_EQ(direct_writes, 2) << "the second write still bypasses the page cache";
  file_calls() = system_file_calls();
  sink.commit();
  EXPECT_TRUE(saved() == text_of(data, bytes));
}

TEST_F(NpySinkTest, FallsBackWhereDirectWritesAreRefused) {
  const std::int64_t bytes = (3 << 20) + 5;
  const memory::Buffer data = random_data(bytes);
  const auto save_data = [&] {
    NpySink sink(out(), DType::k_uint8, {bytes}, true);
    sink.write(0, data.data(), bytes);
    sink.commit();
    return saved() == text_of(data, bytes);
  };
  {
    const FileFaults faults({.nth = 3, .error = EINVAL},
                            &FileCalls::openat);  // directory, file, the same with O_DIRECT
    EXPECT_TRUE(save_data());
    EXPECT_GE(faults.calls(), 3);
  }
  {
    const FileFaults faults({.nth = 2, .error = EINVAL}, &FileCalls::pwrite);  // the first behind the header
    EXPECT_TRUE(save_data());
  }
  for (const std::int64_t longest : {4096, 5000, 100'000}) {
    const FileFaults faults({.longest = longest});
    EXPECT_TRUE(save_data()) << longest;
  }
}

TEST_F(NpySinkTest, ReservesAllSpaceFirst) {
  {
    NpySink sink(out(), DType::k_uint8, {10 << 20}, false);
    struct stat facts = {};
    const std::string name = *directory_.names().begin();
    EXPECT_TRUE(name.starts_with(".out.npy.penstock-" + std::to_string(getpid()) + "-") && name.ends_with(".partial"))
        << name;
    ASSERT_EQ(stat(directory_.path(name).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_size, 4096 + (10 << 20));
    EXPECT_GE(facts.st_blocks * 512, 10 << 20);
  }
  {
    const FileFaults faults({.nth = 1, .error = EOPNOTSUPP}, &FileCalls::fallocate);
    save("abc");
  }
  EXPECT_EQ(saved(), "abc");
  const FileFaults faults({.nth = 1, .error = ENOSPC}, &FileCalls::fallocate);
  EXPECT_ERROR(NoSpaceError, "cannot reserve 10 MiB", NpySink(out(), DType::k_uint8, {(10 << 20) - 4096}, true));
  EXPECT_EQ(saved(), "abc");
  EXPECT_EQ(directory_.names(), std::set<std::string>{"out.npy"});
}

TEST_F(NpySinkTest, LeavesExistingFilesUnlessToldOtherwise) {
  save("old");
  EXPECT_ERROR(FileError, "pass overwrite", NpySink(out(), DType::k_uint8, {3}, false));
  EXPECT_EQ(saved(), "old");
  save("new", true);
  EXPECT_EQ(saved(), "new");
}

TEST_F(NpySinkTest, ARacingFileIsNotClobbered) {
  // Each fault takes one way of renaming away: the flag, then hard links too.
  for (const int refusals : {0, 1, 2}) {
    std::filesystem::remove(out());
    NpySink sink(out(), DType::k_uint8, {3}, false);
    sink.write(0, "abc", 3);
    directory_.put("out.npy", "theirs");
    if (refusals > 0) {
      file_calls().renameat2 = [](int a, const char* b, int c, const char* d, unsigned flags) {
        if (flags == 0) return renameat2(a, b, c, d, 0);
        errno = EINVAL;
        return -1;
      };
    }
    if (refusals > 1) {
      file_calls().linkat = [](int, const char*, int, const char*, int) {
        errno = EPERM;
        return -1;
      };
    }
    EXPECT_ERROR(FileError, "pass overwrite", sink.commit());
    EXPECT_EQ(directory_.get("out.npy"), "theirs");
    sink.abort();
    EXPECT_EQ(directory_.names(), std::set<std::string>{"out.npy"});
    // Without the race the same ways lead to the name.
    std::filesystem::remove(out());
    save("abc", false);
    EXPECT_EQ(saved(), "abc");
    EXPECT_EQ(directory_.names(), std::set<std::string>{"out.npy"});
    file_calls() = system_file_calls();
  }
}

TEST_F(NpySinkTest, AnOutputMayNameItsInput) {
  const std::string old = std::string(100'000, 'o');
  save(old);
  const auto source = open_npy(out());
  const auto other = open_npy(out());
  NpySink sink(out(), DType::k_uint8, {100'000}, true);
  const ByteRange range = byte_range(source->format().layout, 1);
  std::string copy(reinterpret_cast<const char*>(source->mapping().data()) + range.begin, 100'000);
  for (char& byte : copy) ++byte;
  sink.write(0, copy.data(), 100'000);
  sink.commit();
  EXPECT_EQ(saved(), std::string(100'000, 'p'));
  EXPECT_NO_THROW(source->check_unchanged());
  EXPECT_EQ(std::memcmp(source->mapping().data() + range.begin, old.data(), old.size()), 0);
  EXPECT_EQ(std::memcmp(other->read(range, ReadMode::kBuffered).data, old.data(), old.size()), 0);
}

TEST_F(NpySinkTest, AbortAndDestructionRemoveTheFile) {
  {
    NpySink sink(out(), DType::k_uint8, {3}, false);
    EXPECT_EQ(directory_.names().size(), 1u);
    sink.abort();
    EXPECT_EQ(directory_.names().size(), 0u);
    EXPECT_ERROR(FileError, "already committed, aborted or failed", sink.write(0, "abc", 3));
    EXPECT_ERROR(FileError, "already committed, aborted or failed", sink.commit());
    sink.abort();
  }
  {
    NpySink sink(out(), DType::k_uint8, {3}, false);
    sink.write(0, "abc", 3);
  }
  EXPECT_EQ(directory_.names().size(), 0u);
}

TEST_F(NpySinkTest, ACommittedSinkIsDone) {
  NpySink sink(out(), DType::k_uint8, {3}, false);
  sink.write(0, "abc", 3);
  sink.commit();
  EXPECT_ERROR(FileError, "already committed", sink.commit());
  EXPECT_ERROR(FileError, "already committed", sink.write(0, "abc", 3));
  sink.abort();
  EXPECT_EQ(saved(), "abc");
}

TEST_F(NpySinkTest, RefusesOutputsThatAreNoRegularFile) {
  EXPECT_ERROR(FileError, "No such file or directory",
               NpySink(directory_.path("no/out.npy"), DType::k_uint8, {1}, false));
  EXPECT_ERROR(UnsafePathError, "names a directory", NpySink(directory_.path() + "/", DType::k_uint8, {1}, true));
  EXPECT_ERROR(UnsafePathError, "is a directory", NpySink(directory_.path(), DType::k_uint8, {1}, true));
  EXPECT_ERROR(UnsafePathError, "is a device", NpySink("/dev/null", DType::k_uint8, {1}, true));
  EXPECT_ERROR(UnsafePathError, "empty", NpySink("", DType::k_uint8, {1}, true));
  EXPECT_ERROR(UnsafePathError, "NUL", NpySink(out() + std::string("\0x", 2), DType::k_uint8, {1}, true));
  ASSERT_EQ(mkfifo(directory_.path("fifo").c_str(), 0600), 0);
  EXPECT_ERROR(UnsafePathError, "FIFO", NpySink(directory_.path("fifo"), DType::k_uint8, {1}, true));
  ASSERT_EQ(symlink(directory_.put("target", "x").c_str(), directory_.path("link").c_str()), 0);
  EXPECT_ERROR(UnsafePathError, "symbolic link", NpySink(directory_.path("link"), DType::k_uint8, {1}, true));
  EXPECT_EQ(directory_.get("target"), "x");
  EXPECT_EQ(directory_.names(), (std::set<std::string>{"fifo", "link", "target"}));
}

TEST_F(NpySinkTest, RefusesShapesThatOverflow) {
  EXPECT_ERROR(ShapeError, "overflows", NpySink(out(), DType::k_int64, {std::int64_t{1} << 60}, false));
  EXPECT_ERROR(ShapeError, "negative", NpySink(out(), DType::k_int64, {-1}, false));
  EXPECT_EQ(directory_.names().size(), 0u);
}

TEST_F(NpySinkTest, ChecksItsCaller) {
  NpySink sink(out(), DType::k_uint8, {10}, false);
  EXPECT_ERROR(InternalError, "", sink.write(5, "123456", 6));
  EXPECT_ERROR(InternalError, "", sink.write(-1, "1", 1));
  EXPECT_ERROR(InternalError, "", sink.write(0, "1", -1));
  sink.write(0, "123456789", 9);
  EXPECT_ERROR(InternalError, "9 of 10 bytes written", sink.commit());
  sink.write(9, "0", 1);
  sink.commit();
  EXPECT_EQ(saved(), "1234567890");
}

TEST_F(NpySinkTest, TakesTheLongestNames) {
  const std::string name = std::string(251, 'n') + ".npy";
  NpySink sink(directory_.path(name), DType::k_uint8, {3}, false);
  sink.write(0, "abc", 3);
  sink.commit();
  EXPECT_EQ(directory_.names(), std::set<std::string>{name});
  EXPECT_ERROR(FileError, "name too long", NpySink(directory_.path("x" + name), DType::k_uint8, {3}, false));
}

TEST_F(NpySinkTest, WorksInTheCurrentDirectoryEvenAfterLeavingIt) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  NpySink sink("out.npy", DType::k_uint8, {3}, false);
  std::filesystem::current_path(before);
  sink.write(0, "abc", 3);
  sink.commit();
  EXPECT_EQ(saved(), "abc");
}

TEST_F(NpySinkTest, KeepsPermissionsAndFollowsTheUmask) {
  const auto mode_of = [](const std::string& path) {
    struct stat facts = {};
    EXPECT_EQ(stat(path.c_str(), &facts), 0);
    return facts.st_mode & 07777;
  };
  const mode_t before = umask(027);
  save("abc");
  EXPECT_EQ(mode_of(out()), 0640u);
  ASSERT_EQ(chmod(out().c_str(), 0604), 0);
  umask(0);
  save("def");
  EXPECT_EQ(mode_of(out()), 0604u);
  umask(077);
  save("ghi");
  EXPECT_EQ(mode_of(out()), 0604u) << "whatever the umask is by now";
  umask(0);
  ASSERT_EQ(chmod(out().c_str(), 0600), 0);
  {
    // Private from its creation on, not only once its mode is set.
    const FileFaults faults({.nth = 1, .error = EPERM}, &FileCalls::fchmod);
    NpySink sink(out(), DType::k_uint8, {3}, true);
    for (const std::string& name : directory_.names()) EXPECT_EQ(mode_of(directory_.path(name)), 0600u) << name;
  }
  umask(before);
}

TEST_F(NpySinkTest, ReadsTheDurabilityFromTheEnvironment) {
  const char* const before = std::getenv("PENSTOCK_DURABILITY");
  const std::string kept = before == nullptr ? "" : before;
  for (const auto& [name, durability] :
       std::vector<std::pair<const char*, Durability>>{{"", Durability::kPower},
                                                       {"none", Durability::kNone},
                                                       {"process", Durability::kProcess},
                                                       {"power", Durability::kPower}}) {
    setenv("PENSTOCK_DURABILITY", name, 1);
    EXPECT_EQ(default_durability(), durability) << name;
  }
  setenv("PENSTOCK_DURABILITY", "always", 1);
  EXPECT_ERROR(ArgumentError, "'always'; use none, process or power", default_durability());
  kept.empty() ? unsetenv("PENSTOCK_DURABILITY") : setenv("PENSTOCK_DURABILITY", kept.c_str(), 1);
}

}  // namespace
}  // namespace penstock::store
