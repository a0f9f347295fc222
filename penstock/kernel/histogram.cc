// SPDX-License-Identifier: Apache-2.0
// Counting into bins: which bin is computed for a block of values at once, the counting itself is one by one.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/histogram.cc"
#include "hwy/foreach_target.h"

#include <cstdint>

#include "penstock/kernel/element.h"
#include "penstock/kernel/table.h"
#include "penstock/simd/per_target-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

/// Ascending edges of `bins` bins; `scale` is bins / (last - first edge) where they are evenly spaced, else 0.
struct Bins {
  const double* edges;
  std::int64_t bins;
  double scale;

  HWY_INLINE bool holds(double x) const { return (x >= edges[0]) & (x <= edges[bins]); }

  /// The bin of x, which lies within the edges: the last edge that is not above x.
  HWY_INLINE std::int64_t search(double x) const {
    std::int64_t low = 0;
    for (std::int64_t left = bins; left > 1;) {
      const std::int64_t half = left / 2;
      low = edges[low + half] <= x ? low + half : low;
      left -= half;
    }
    return low;
  }
};

constexpr std::int64_t kBlock = 256;

/// The bins of x[0, n) by the even spacing, each corrected by at most one against the edges as they are stored; values
/// outside get the bin behind the last. Whether that was enough for all of them.
HWY_INLINE bool scaled_bins(const Bins& b, const double* x, std::int64_t n, std::int32_t* found) {
  const auto last = static_cast<double>(b.bins - 1);
  std::int64_t wrong = 0;
  PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) {
    const double guess = (x[i] - b.edges[0]) * b.scale;
    // Also for NaN: the comparison is false.
    const double clamped = guess > 0 ? (guess < last ? guess : last) : 0;
    auto bin = static_cast<std::int32_t>(clamped);
    bin -= (x[i] < b.edges[bin]) & (bin > 0);
    bin += (x[i] >= b.edges[bin + 1]) & (bin + 1 < b.bins);
    const bool inside = b.holds(x[i]);
    const bool right = (x[i] >= b.edges[bin]) & ((x[i] < b.edges[bin + 1]) | (bin + 1 == b.bins));
    wrong += inside & !right;
    found[i] = inside ? bin : static_cast<std::int32_t>(b.bins);
  }
  return wrong == 0;
}

HWY_INLINE void searched_bins(const Bins& b, const double* x, std::int64_t n, std::int32_t* found) {
  for (std::int64_t i = 0; i < n; ++i) found[i] = static_cast<std::int32_t>(b.holds(x[i]) ? b.search(x[i]) : b.bins);
}

HWY_FLATTEN void histogram(const double* x, std::int64_t n, const double* edges, std::int64_t bins, double scale,
                           std::int64_t* counts) {
  const Bins b{edges, bins, scale};
  std::int32_t found[kBlock];
  for (std::int64_t start = 0; start < n; start += kBlock) {
    const std::int64_t length = n - start < kBlock ? n - start : kBlock;
    if (scale == 0 || !scaled_bins(b, x + start, length, found)) searched_bins(b, x + start, length, found);
    // Equal neighbours, which pictures are full of, count in different places: none waits for the one before it.
    for (std::int64_t i = 0; i < length; ++i) ++counts[found[i] * kHistogramCopies + i % kHistogramCopies];
  }
}

}  // namespace

void fill_histogram(Table& table);
void fill_histogram(Table& table) { table.histogram = histogram; }

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
