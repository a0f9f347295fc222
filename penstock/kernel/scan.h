// SPDX-License-Identifier: Apache-2.0
// Cumulative sums and products of one line of elements. The association is a constant of Penstock, so that neither
// threads, nor the pieces that a line comes in, nor how it lies in memory change a bit:
//
//   sum      runs of kScanRun elements are added from left to right, each from its own first element; an element is
//            carry + its run's sum so far, where carry adds up the runs before it from left to right
//   product  from left to right, all along: products of parts overflow where the whole does not
//
// Integers wrap. Portable code for all targets: several runs go side by side, which hides the adder's latency.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/type/dtype.h"

namespace penstock::kernel {

/// Elements of a run; no power of two, so that runs side by side fall into different lines of the cache.
inline constexpr std::int64_t kScanRun = 496;

enum class Cumulative : std::uint8_t { kSum, kProduct };

/// The scan of one dtype; elements are aligned to it, and `out` may be x.
struct Scan {
  /// out[i] = the scan of x[0, n), each run of kScanRun by itself; totals[r] = the last of run r.
  void (*runs)(const void* x, void* out, std::int64_t n, void* totals);
  /// out[i] = carry combined with x[i]; carry is one element.
  void (*shift)(const void* carry, const void* x, void* out, std::int64_t n);
  /// out[i] = the scan of *state and x[0, n) from left to right; *state = the last.
  void (*follow)(const void* x, void* out, std::int64_t n, void* state);
  /// out[i] = a[i] combined with b[i].
  void (*combine)(const void* a, const void* b, void* out, std::int64_t n);
};

/// Null for bool and float16, which nothing adds up in.
const Scan* scan_of(Cumulative what, DType dtype);

}  // namespace penstock::kernel
