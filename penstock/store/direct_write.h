// SPDX-License-Identifier: Apache-2.0
// Writing large ranges past the page cache, with buffered writes for what O_DIRECT does not take.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <string>

namespace penstock::store {

/// A file open for writing twice: buffered, and with O_DIRECT (-1 where the file system refuses).
struct DirectWriter {
  int fd = -1;
  int direct_fd = -1;
  std::atomic<bool> refused{false};

  /// Writes bytes [begin, end) of the file; safe from many threads on disjoint ranges. Fast when `data` and `begin` are
  /// multiples of 4,096. Throws NoSpaceError or FileError with `path` and offset.
  void write(const std::byte* data, std::int64_t begin, std::int64_t end, const std::string& path);

  /// Bytes that a call of write_cells holds.
  static constexpr std::int64_t kWindow = 256 << 10;

  /// Writes n cells of `cell` bytes, which lie side by side in `data`, to bytes begin + i * stride of the file. Where
  /// they lie close together whole pages are read, changed and written back; other writes wait meanwhile.
  void write_cells(const std::byte* data, std::int64_t begin, std::int64_t stride, std::int64_t cell, std::int64_t n,
                   const std::string& path);

 private:
  void write_dense(const std::byte* data, std::int64_t begin, std::int64_t stride, std::int64_t cell, std::int64_t n,
                   const std::string& path);

  std::shared_mutex mutex_;  // held alone while bytes of others are read and written back
};

}  // namespace penstock::store
