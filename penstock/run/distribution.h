// SPDX-License-Identifier: Apache-2.0
// Items sorted by the window of an array that they belong to, in a scratch file: what is random access to the array as
// a whole is then sequential access to the items, and random access within a window that memory has room for.
//
//   cells, bucket after bucket:   | 7 4 9 | 12 16 | 21 | ...      an item is a cell of each column
//                                 window 0  window 1  2            in the order in which items were added
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/memory/buffer.h"
#include "penstock/run/cell_file.h"
#include "penstock/run/lines.h"

namespace penstock::run {

/// Throws ArgumentError: indices in memory that somebody writes to are not what they were when they were checked, or
/// counted.
[[noreturn]] void refuse_changed_indices();

/// Items of two columns, the first of 8 bytes, the second of `cell`.
class Distribution {
 public:
  /// counts[b]: items that bucket b will have. Takes `bytes` of the pool until finish().
  Distribution(const std::vector<std::int64_t>& counts, std::int64_t cell, std::int64_t bytes);

  /// Throws ArgumentError where the bucket holds its counted items already: they changed since they were counted.
  void add(std::int64_t bucket, std::int64_t first, const std::byte* second);
  /// Items that were added to a bucket.
  std::int64_t added(std::int64_t bucket) const;
  void finish();

  /// Where a bucket's items lie in the columns.
  Range items(std::int64_t bucket) const;
  const CellFile& first() const { return first_; }
  const CellFile& second() const { return second_; }

 private:
  void flush(std::size_t bucket);

  std::vector<std::int64_t> begins_;
  std::vector<Range> at_;  // of each bucket: items written, items added
  std::int64_t room_ = 0;  // items of a bucket on their way to the file
  memory::Buffer firsts_;
  memory::Buffer seconds_;
  CellFile first_;
  CellFile second_;
};

}  // namespace penstock::run
