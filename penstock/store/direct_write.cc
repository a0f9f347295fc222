// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/direct_write.h"

#include <algorithm>
#include <cerrno>

#include "penstock/base/file.h"
#include "penstock/base/machine.h"

namespace penstock::store {
namespace {

// Below this size a write to the page cache costs less than a trip to the disk.
constexpr std::int64_t kDirectLeast = 256 << 10;
constexpr std::int64_t kPiece = 4 << 20;

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

}  // namespace penstock::store
