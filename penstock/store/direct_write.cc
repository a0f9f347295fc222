// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/direct_write.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "penstock/base/file.h"
#include "penstock/base/machine.h"
#include "penstock/memory/buffer.h"

namespace penstock::store {
namespace {

// Below this size a write to the page cache costs less than a trip to the disk.
constexpr std::int64_t kDirectLeast = 256 << 10;
constexpr std::int64_t kPiece = 4 << 20;
constexpr std::int64_t kCellPage = 4096;

/// O_DIRECT's unit: the disk's block, and the page where that is larger, because a page of the page cache must never be
/// written both ways at once.
std::int64_t direct_unit() { return std::max<std::int64_t>(4096, page_size()); }

/// Writes a block-aligned range with O_DIRECT; returns the bytes written, fewer where the file system refuses.
std::int64_t write_past_cache(DirectWriter& to, const std::byte* data, std::int64_t begin, std::int64_t end) {
  std::int64_t done = 0;
  const std::int64_t unit = direct_unit();
  while (begin + done < end && done % unit == 0 && !to.refused.load(std::memory_order_relaxed)) {
    const std::int64_t n = write_some(to.direct_fd, data + done, std::min(end - begin - done, kPiece), begin + done);
    if (n <= 0) {
      // EINVAL is a refusal. Any other error is met again by the buffered write that follows, or was passing.
      if (n < 0 && errno == EINVAL) to.refused.store(true, std::memory_order_relaxed);
      break;
    }
    done += n;
  }
  return done;
}

}  // namespace

void DirectWriter::write(const std::byte* data, std::int64_t begin, std::int64_t end, const std::string& path) {
  const std::shared_lock lock(mutex_);
  const std::int64_t unit = direct_unit();
  const std::int64_t first = (begin + unit - 1) / unit * unit;
  const std::int64_t last = end / unit * unit;
  const auto address = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(data));
  const bool aligned = (address - begin) % unit == 0;
  if (!aligned || last - first < kDirectLeast || direct_fd < 0) {
    write_fully(fd, data, end - begin, begin, path);
    return;
  }
  if (begin < first) write_fully(fd, data, first - begin, begin, path);
  const std::int64_t middle = first + write_past_cache(*this, data + (first - begin), first, last);
  if (middle < end) write_fully(fd, data + (middle - begin), end - middle, middle, path);
}

void DirectWriter::write_cells(const std::byte* data, std::int64_t begin, std::int64_t stride, std::int64_t cell,
                               std::int64_t n, const std::string& path) {
  const std::int64_t apart = std::abs(stride);
  // A call for each cell costs about as much as a page.
  if (apart >= kCellPage) {
    for (std::int64_t i = 0; i < n; ++i) write(data + i * cell, begin + i * stride, begin + i * stride + cell, path);
    return;
  }
  const std::int64_t at_once = kWindow / apart;
  for (std::int64_t first = 0; first < n; first += at_once) {
    write_dense(data + first * cell, begin + first * stride, stride, cell, std::min(at_once, n - first), path);
  }
}

void DirectWriter::write_dense(const std::byte* data, std::int64_t begin, std::int64_t stride, std::int64_t cell,
                               std::int64_t n, const std::string& path) {
  const std::int64_t reach = (n - 1) * stride;
  const std::int64_t low = begin + std::min<std::int64_t>(reach, 0);
  const std::int64_t span = std::abs(reach) + cell;
  const memory::Buffer window = memory::Buffer::allocate(span, "window of an output");
  const std::lock_guard lock(mutex_);
  const std::int64_t found = read_fully(fd, window.data(), span, low, path);
  // What lies behind the end of the file is nobody's yet.
  std::memset(window.data() + found, 0, static_cast<std::size_t>(span - found));
  std::byte* to = window.data() + (begin - low);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * stride, data + i * cell, static_cast<std::size_t>(cell));
  write_fully(fd, window.data(), span, low, path);
}

}  // namespace penstock::store
