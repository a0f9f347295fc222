// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/file_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/expect_error.h"
#include "penstock/base/file_faults.h"
#include "penstock/base/machine.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/memory/fault_guard.h"
#include "penstock/store/npy_header.h"

namespace penstock::store {
namespace {

std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string text_of(const FileBytes& bytes, ByteRange range) {
  if (range.size() == 0) return "";
  return std::string(reinterpret_cast<const char*>(bytes.data), static_cast<std::size_t>(range.size()));
}

/// The pool hands out what was freed last: nothing of an earlier read may stand in for a byte that is not read.
void soil_pool(std::size_t bytes) {
  const memory::Buffer junk = memory::Buffer::allocate(static_cast<std::int64_t>(bytes), "test");
  std::memset(junk.data(), 0xEE, bytes);
}

class FileSourceTest : public ::testing::Test {
 protected:
  std::string npy(const std::string& name, DType dtype, const Dims& shape, const std::string& behind = "") const {
    const auto bytes = static_cast<std::size_t>(count(shape) * size_of(dtype));
    return directory_.put(name, make_npy_header(dtype, shape) + random_bytes(bytes) + behind);
  }
  TemporaryDirectory directory_;
};

TEST_F(FileSourceTest, ReadsBytesWrittenByHand) {
  // 2 x 3 big-endian int16 in Fortran order: 1 2 3 / 4 5 6.
  const std::string literal = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }";
  std::string file = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(literal.size()) + '\0' + literal;
  const std::size_t data = file.size();
  file += std::string("\0\1\0\4\0\2\0\5\0\3\0\6", 12);
  const auto source = open_npy(directory_.put("a.npy", file));
  const FileFormat& format = source->format();
  EXPECT_EQ(format.dtype, DType::k_int16);
  EXPECT_TRUE(format.swapped);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      const std::int64_t at = format.layout.offset + i * format.layout.strides[0] + j * format.layout.strides[1];
      EXPECT_EQ(static_cast<int>(source->mapping().data()[at + 1]), 1 + 3 * i + j);
    }
  }
  EXPECT_EQ(byte_range(format.layout, 2).begin, static_cast<std::int64_t>(data));
}

TEST_F(FileSourceTest, EveryDTypeComesBackByteForByte) {
  for (int i = 0; i < kDTypeCount; ++i) {
    for (const Dims& shape : {Dims{}, Dims{0}, Dims{1}, Dims{17}, Dims{3, 0, 2}, Dims{5, 7, 11}}) {
      const auto dtype = static_cast<DType>(i);
      const std::string path = npy("a.npy", dtype, shape);
      const auto source = open_npy(path, true);
      EXPECT_EQ(source->format().dtype, dtype);
      EXPECT_EQ(source->format().layout.shape, shape);
      const ByteRange range = byte_range(source->format().layout, size_of(dtype));
      const std::string expected =
          directory_.get("a.npy").substr(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
      EXPECT_EQ(text_of(source->read(range, ReadMode::kBuffered), range), expected);
      EXPECT_EQ(text_of(source->read(range, ReadMode::kDirect), range), expected);
    }
  }
}

TEST_F(FileSourceTest, ReadsLongHeaders) {
  std::string literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  literal.append(60'000 - literal.size(), ' ');
  std::string file = std::string("\x93NUMPY\1\0", 8) + '\x60' + '\xEA' + literal + "abcdefgh";
  EXPECT_EQ(open_npy(directory_.put("a.npy", file), true)->format().layout.offset, 60'010);
  file.resize(50'000);
  EXPECT_ERROR(TruncatedFileError, "60010", open_npy(directory_.put("a.npy", file)));
}

TEST_F(FileSourceTest, NotesOrRefusesBytesBehindTheData) {
  const std::string path = npy("a.npy", DType::k_int32, {4}, "junk");
  std::string warning;
  EXPECT_EQ(open_npy(path, false, &warning)->format().layout.shape, Dims{4});
  EXPECT_NE(warning.find("4 bytes behind the data, which ends at byte 144"), std::string::npos) << warning;
  EXPECT_NO_THROW(open_npy(path));
  EXPECT_ERROR(FormatError, "4 bytes behind the data", open_npy(path, true));
  warning.clear();
  open_npy(npy("b.npy", DType::k_int32, {4}), true, &warning);
  EXPECT_EQ(warning, "");
}

TEST_F(FileSourceTest, RefusesWhatItCannotOpen) {
  const int before = open_descriptors();
  EXPECT_ERROR(FileError, "No such file", open_npy(directory_.path("missing.npy")));
  EXPECT_ERROR(UnsafePathError, "a directory", open_npy(directory_.path()));
  ASSERT_EQ(mkfifo(directory_.path("fifo").c_str(), 0600), 0);
  EXPECT_ERROR(UnsafePathError, "a FIFO", open_npy(directory_.path("fifo")));
  EXPECT_ERROR(UnsafePathError, "a FIFO", open_raw(directory_.path("fifo"), DType::k_int8, Dims{1}));
  EXPECT_ERROR(UnsafePathError, "NUL", open_npy(std::string("a\0b", 3)));
  EXPECT_ERROR(TruncatedFileError, "has 0", open_npy(directory_.put("empty", "")));
  EXPECT_ERROR(FormatError, "'magic'", open_npy(directory_.put("text", "hello world, this is text")));
  EXPECT_ERROR(DTypeError, "object",
               open_npy(directory_.put("o", std::string("\x93NUMPY\1\0\x40\0", 10) +
                                                "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }        ")));
  EXPECT_EQ(open_descriptors(), before);
  // A broken link is a missing file.
  ASSERT_EQ(symlink("nowhere", directory_.path("link").c_str()), 0);
  EXPECT_ERROR(FileError, "No such file", open_npy(directory_.path("link")));
}

TEST_F(FileSourceTest, MakesARawFileAnArray) {
  const std::string path = directory_.put("a.bin", random_bytes(1003));
  const auto all = open_raw(path, DType::k_uint8, std::nullopt);
  EXPECT_EQ(all->format().layout, (Layout{{1003}, {1}, 0}));
  EXPECT_EQ(all->format().name, "raw");
  const auto rest = open_raw(path, DType::k_int32, std::nullopt, 3, true);
  EXPECT_EQ(rest->format().layout, (Layout{{250}, {4}, 3}));
  EXPECT_TRUE(rest->format().swapped);
  EXPECT_EQ(open_raw(path, DType::k_int16, Dims{5, 4}, 7)->format().layout, (Layout{{5, 4}, {8, 2}, 7}));
  EXPECT_FALSE(open_raw(path, DType::k_int8, Dims{1}, 0, true)->format().swapped) << "one byte has no order";
  EXPECT_EQ(open_raw(path, DType::k_int16, std::nullopt, 1003)->format().layout.shape, Dims{0});
  EXPECT_EQ(open_raw(path, DType::k_int16, Dims{}, 1001)->format().layout.shape, Dims{});
}

TEST_F(FileSourceTest, RefusesRawFilesThatDoNotFit) {
  const std::string path = directory_.put("a.bin", random_bytes(1003));
  EXPECT_ERROR(FormatError, "no whole number of int32", open_raw(path, DType::k_int32, std::nullopt));
  EXPECT_ERROR(TruncatedFileError, "needs 1004 bytes", open_raw(path, DType::k_int32, Dims{251}));
  EXPECT_ERROR(TruncatedFileError, "needs 1000 bytes from offset 4", open_raw(path, DType::k_int32, Dims{250}, 4));
  EXPECT_ERROR(TruncatedFileError, "begins at byte 1004", open_raw(path, DType::k_int8, std::nullopt, 1004));
  EXPECT_ERROR(ArgumentError, "negative", open_raw(path, DType::k_int8, std::nullopt, -1));
  EXPECT_ERROR(ShapeError, "negative", open_raw(path, DType::k_int8, Dims{-1}));
  EXPECT_ERROR(ShapeError, "overflows", open_raw(path, DType::k_int64, Dims{std::int64_t{1} << 61}));
}

TEST_F(FileSourceTest, ReadsAnyRangeInBothModes) {
  // Longer than two pieces of a direct read, with a tail that is no block.
  const std::string data = random_bytes((9 << 20) + 1234);
  const auto source = open_raw(directory_.put("a.bin", data), DType::k_uint8, std::nullopt);
  const auto size = static_cast<std::int64_t>(data.size());
  std::vector<ByteRange> ranges = {{0, size},           {0, 0},
                                   {size, size},        {0, 1},
                                   {size - 1, size},    {4095, 4097},
                                   {4096, 8192},        {(4 << 20) - 1, (4 << 20) + 1},
                                   {size - 1234, size}, {size - 1235, size}};
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    const auto begin = static_cast<std::int64_t>(random() % data.size());
    const auto length = static_cast<std::int64_t>(random() % (i % 2 == 0 ? 10'000 : data.size()));
    ranges.push_back({begin, std::min(size, begin + length)});
  }
  for (const ReadMode mode : {ReadMode::kBuffered, ReadMode::kDirect}) {
    for (const ByteRange& range : ranges) {
      soil_pool(static_cast<std::size_t>(range.size()) + 1);
      ASSERT_TRUE(text_of(source->read(range, mode), range) ==
                  data.substr(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size())))
          << range.begin << " to " << range.end;
    }
  }
}

TEST_F(FileSourceTest, RangesOutsideTheFileAreABugOfTheCaller) {
  const auto source = open_raw(directory_.put("a.bin", "0123456789"), DType::k_uint8, std::nullopt);
  EXPECT_THROW(source->read({-1, 5}, ReadMode::kBuffered), InternalError);
  EXPECT_THROW(source->read({5, 4}, ReadMode::kBuffered), InternalError);
  EXPECT_THROW(source->read({0, 11}, ReadMode::kBuffered), InternalError);
}

TEST_F(FileSourceTest, DirectReadsFallBack) {
  const std::string data = random_bytes(300'001);
  const std::string path = directory_.put("a.bin", data);
  const ByteRange range{1000, 300'001};
  const std::string expected = data.substr(1000);
  for (const int error : {EINVAL, EMFILE}) {
    const auto source = open_raw(path, DType::k_uint8, std::nullopt);
    const FileFaults no_direct({.nth = 1, .error = error}, &FileCalls::openat);
    EXPECT_EQ(text_of(source->read(range, ReadMode::kDirect), range), expected);
    EXPECT_EQ(no_direct.calls(), 1);
  }
  const auto source = open_raw(path, DType::k_uint8, std::nullopt);
  {
    const FileFaults refused({.nth = 1, .error = EINVAL}, &FileCalls::pread);
    EXPECT_EQ(text_of(source->read(range, ReadMode::kDirect), range), expected);
    EXPECT_GE(refused.calls(), 2);
  }
  for (const std::int64_t longest : {4096, 4097, 1000}) {
    const FileFaults short_reads({.longest = longest});
    soil_pool(data.size());
    EXPECT_EQ(text_of(source->read(range, ReadMode::kDirect), range), expected) << longest;
    soil_pool(data.size());
    EXPECT_EQ(text_of(source->read(range, ReadMode::kBuffered), range), expected) << longest;
  }
}

TEST_F(FileSourceTest, GoesOnBehindAnUnalignedShortRead) {
  const std::string data = random_bytes(300'001);
  const auto source = open_raw(directory_.put("a.bin", data), DType::k_uint8, std::nullopt);
  file_calls().pread = [](int fd, void* into, std::size_t bytes, off_t offset) {
    const ssize_t n = pread(fd, into, bytes, offset);
    if (n <= 5000) return n;
    std::memset(static_cast<char*>(into) + 5000, 0xEE, static_cast<std::size_t>(n) - 5000);
    return ssize_t{5000};
  };
  const ByteRange range{10, 300'001};
  EXPECT_TRUE(text_of(source->read(range, ReadMode::kDirect), range) == data.substr(10));
  EXPECT_TRUE(text_of(source->read(range, ReadMode::kBuffered), range) == data.substr(10));
  file_calls() = system_file_calls();
}

TEST_F(FileSourceTest, ReportsReadErrorsWithPathAndOffset) {
  const std::string path = directory_.put("a.bin", random_bytes(300'000));
  const auto source = open_raw(path, DType::k_uint8, std::nullopt);
  for (const ReadMode mode : {ReadMode::kBuffered, ReadMode::kDirect}) {
    const FileFaults broken({.nth = 1, .sticky = true, .error = EIO});
    EXPECT_ERROR(FileError, path + " at byte 4096: cannot read", source->read({4096, 200'000}, mode));
  }
}

TEST_F(FileSourceTest, ManyThreadsReadOneSource) {
  const std::string data = random_bytes(3 << 20);
  const auto source = open_raw(directory_.put("a.bin", data), DType::k_uint8, std::nullopt);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 50; ++i) {
        const auto begin = static_cast<std::int64_t>(random() % (2 << 20));
        const ByteRange range{begin, begin + 500'000};
        const FileBytes bytes = source->read(range, i % 2 == 0 ? ReadMode::kDirect : ReadMode::kBuffered);
        if (std::memcmp(bytes.data, data.data() + begin, 500'000) != 0) ++wrong;
        if (source->mapping().data()[begin] != bytes.data[0]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(FileSourceTest, ARenamedFileStaysTheOneThatWasOpened) {
  const std::string path = npy("a.npy", DType::k_int32, {1000});
  const std::string old = directory_.get("a.npy");
  const auto source = open_npy(path);
  npy("b.npy", DType::k_int64, {2000});
  ASSERT_EQ(rename(directory_.path("b.npy").c_str(), path.c_str()), 0);
  EXPECT_NO_THROW(source->check_unchanged());
  const ByteRange all{0, static_cast<std::int64_t>(old.size())};
  EXPECT_EQ(text_of(source->read(all, ReadMode::kBuffered), all), old);
  EXPECT_EQ(text_of(source->read(all, ReadMode::kDirect), all), old);
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(text_of(open_npy(npy("a.npy", DType::k_int32, {1000}))->read(all, ReadMode::kDirect), all), old);
  EXPECT_EQ(std::memcmp(source->mapping().data(), old.data(), old.size()), 0);
}

TEST_F(FileSourceTest, NoticesThatTheFileChanged) {
  const std::string path = npy("a.npy", DType::k_int32, {1000});
  const auto source = open_npy(path);
  EXPECT_NO_THROW(source->check_unchanged());
  const timespec times[2] = {{0, UTIME_OMIT}, {1'000'000'000, 5}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_ERROR(FileChangedError, "changed while it was read", source->check_unchanged());
  EXPECT_ERROR(FileChangedError, "changed while it was read", source->raise_truncated());
  const auto again = open_npy(path);
  ASSERT_EQ(truncate(path.c_str(), 4200), 0);
  EXPECT_ERROR(FileChangedError, "4128 bytes at the start, 4200 now", again->check_unchanged());
  ASSERT_EQ(truncate(path.c_str(), 100), 0);
  EXPECT_ERROR(TruncatedFileError, "expected 4128 bytes, 100 present", again->check_unchanged());
  EXPECT_ERROR(TruncatedFileError, "expected 4128 bytes, 100 present", again->raise_truncated());
  for (const ReadMode mode : {ReadMode::kBuffered, ReadMode::kDirect}) {
    EXPECT_ERROR(TruncatedFileError, path, again->read({0, 4128}, mode));
  }
}

TEST_F(FileSourceTest, AFaultInAnUnchangedFileIsAReadError) {
  const auto source = open_npy(npy("a.npy", DType::k_int32, {1000}));
  EXPECT_ERROR(FileError, "Input/output error", source->raise_truncated());
}

TEST_F(FileSourceTest, EveryFailingCallIsAnErrorAndNoLeak) {
  const std::string path = npy("a.npy", DType::k_int32, {100'000});
  const auto life = [&] {
    const auto source = open_npy(path, true);
    const ByteRange range = byte_range(source->format().layout, 4);
    source->read(range, ReadMode::kBuffered);
    source->read(range, ReadMode::kDirect);
    source->mapping().residency(0, 100'000);
    source->check_unchanged();
  };
  std::int64_t last = 0;
  {
    const FileFaults counter({});
    life();
    last = counter.calls();
  }
  ASSERT_GT(last, 8);
  const int before = open_descriptors();
  for (const int error : {EIO, ENOSPC, EINTR, EAGAIN, EMFILE, EROFS, EINVAL}) {
    for (const bool sticky : {false, true}) {
      for (std::int64_t n = 1; n <= last; ++n) {
        const FileFaults faults({.nth = n, .sticky = sticky, .error = error});
        try {
          life();
        } catch (const Error& failed) {
          EXPECT_NE(std::string(failed.what()).find(path), std::string::npos) << failed.what();
          EXPECT_TRUE(failed.sys_errno() == error || failed.sys_errno() == 0) << failed.what();
        }
      }
    }
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(FileSourceTest, TruncationUnderFourReadersIsAlwaysTheSameError) {
  const std::string data = random_bytes(1 << 20);
  const std::string path = directory_.path("a.bin");
  std::mt19937 random(5);
  struct Scan {
    const FileSource* source;
    unsigned sum;
  };
  const auto scan = [](void* context) {
    auto* const each = static_cast<Scan*>(context);
    const auto* const bytes = reinterpret_cast<const volatile unsigned char*>(each->source->mapping().data());
    for (std::int64_t i = 0; i < 1 << 20; i += 512) each->sum += bytes[i];
  };
  for (int round = 0; round < 100; ++round) {
    directory_.put("a.bin", data);
    const auto source = open_raw(path, DType::k_uint8, std::nullopt);
    source->mapping();
    std::atomic<int> truncated{0};
    std::atomic<int> other{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&] {
        Scan each{source.get(), 0};
        while (memory::guarded(scan, &each)) {
        }
        const ErrorCode code = error_of([&] { source->raise_truncated(); }).first;
        ++(code == ErrorCode::kTruncatedFileError ? truncated : other);
      });
    }
    usleep(static_cast<useconds_t>(random() % 1000));
    ASSERT_EQ(truncate(path.c_str(), 4096), 0);
    for (std::thread& reader : readers) reader.join();
    ASSERT_EQ(truncated, 4);
    ASSERT_EQ(other, 0);
  }
}

}  // namespace
}  // namespace penstock::store
