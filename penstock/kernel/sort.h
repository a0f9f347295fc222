// SPDX-License-Identifier: Apache-2.0
// Sorting one line of elements, and finding places in a sorted one. Equal elements keep their order; NaN comes last,
// whether ascending or descending. Runs are sorted by Highway's vectorised quicksort as integers in the same order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/kernel/table.h"
#include "penstock/type/dtype.h"

namespace penstock::kernel {

/// How elements of a dtype (or keys with their places) are sorted: runs first, then runs are merged.
struct Sorter {
  std::int64_t size = 0;  // bytes of what is sorted

  /// Sorts n of them in place.
  void (*sort)(void* x, std::int64_t n) = nullptr;
  /// Of two sorted runs that follow each other, how many of `a` are among the first k.
  std::int64_t (*split)(const void* a, std::int64_t na, const void* b, std::int64_t nb, std::int64_t k) = nullptr;
  /// Merges them; of equals, those of `a` come first.
  void (*merge)(const void* a, std::int64_t na, const void* b, std::int64_t nb, void* out) = nullptr;
};

/// Elements, or their places: keys are coded (of places, each beside its place, so that all differ), sorted, and
/// decoded to int64.
struct Sorting {
  Sorter sorter;
  Coding coding;
};

/// Whether elements have an order: not complex numbers; nothing computes in float16.
bool sorts(DType dtype);

/// Of a dtype that sorts. Keys that have places are 8 bytes where elements have at most 4 and a line `n` fits into 32
/// bits, else 16.
Sorting values_of(DType dtype, bool descending);
Sorting places_of(DType dtype, bool descending, std::int64_t n);

/// The place of the first zero of n floats; n without one.
std::int64_t first_zero(DType dtype, const void* x, std::int64_t n);
/// The zeros among n floats, with their signs, in their order; how many they are.
std::int64_t zeros_of(DType dtype, const void* x, std::int64_t n, void* out);

/// Gives the zeros of a sorted line of floats the signs that they have in the line x, in its order. There is one.
void restore_zeros(DType dtype, const void* x, std::int64_t n, void* sorted);

/// out[i] = how many of the n sorted elements lie before q[i], and with `right` the equal ones too. With `window` most
/// of q lie before all of them or behind.
void search(DType dtype, const void* sorted, std::int64_t n, const void* q, std::int64_t count, bool right, bool window,
            std::int64_t* out);

}  // namespace penstock::kernel
