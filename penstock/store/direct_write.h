// SPDX-License-Identifier: Apache-2.0
// Writing large ranges past the page cache, with buffered writes for what O_DIRECT does not take.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
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
};

}  // namespace penstock::store
