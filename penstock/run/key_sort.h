// SPDX-License-Identifier: Apache-2.0
// A line of elements as sorted keys (kernel/sort.h), by several threads: runs are sorted, then merged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/kernel/sort.h"
#include "penstock/run/crew.h"
#include "penstock/run/lines.h"

namespace penstock::run {

class KeySort {
 public:
  KeySort(DType dtype, const kernel::Sorting& sorting, std::int64_t out_size)
      : dtype_(dtype), sorting_(sorting), out_size_(out_size) {}

  /// Bytes of a key.
  std::int64_t size() const { return sorting_.sorter.size; }

  /// The keys of the elements at x, which lie side by side and have these places in their line, as sorted runs: their
  /// bounds. Runs that would only be put one behind the other are one. Sets `zeros` where a -0.0 is among them.
  std::vector<std::int64_t> sorted_runs(const std::byte* x, Range places, const Crew& crew, std::byte* keys,
                                        bool& zeros) const;

  /// Merges sorted runs that follow each other in `keys`, run i from bounds[i] to bounds[i + 1], the first bound 0: in
  /// `keys` or in `other`.
  std::byte* merged(std::vector<std::int64_t> bounds, const Crew& crew, std::byte* keys, std::byte* other) const;

  /// Keys as elements, or as their places.
  void decode(const std::byte* keys, std::int64_t n, const Crew& crew, std::byte* out) const;

  /// How many of n sorted keys lie before `key`; with `equal` those that equal it too.
  std::int64_t count_before(const std::byte* keys, std::int64_t n, const std::byte* key, bool equal) const;

 private:
  std::int64_t divided(const std::byte* x, Range places, double fraction, const Crew& crew, std::byte* keys,
                       bool& zeros) const;
  void pivot_of(const std::byte* x, Range places, double fraction, std::byte* pivot) const;
  void join(std::vector<std::int64_t>& bounds, const std::byte* keys) const;
  void merge_part(const std::byte* keys, Range a, std::int64_t end, Range part, std::byte* out) const;

  DType dtype_;
  kernel::Sorting sorting_;
  std::int64_t out_size_;
};

}  // namespace penstock::run
