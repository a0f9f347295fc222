// SPDX-License-Identifier: Apache-2.0
// Counting into bins: which bin is computed for a block of values at once, the counting itself is one by one.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/histogram.cc"
#include "hwy/foreach_target.h"

#include <cstdint>

#include "penstock/kernel/lanes-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

/// The last edge that is not above x, which lies within the edges.
HWY_INLINE double search_bin(double x, const double* edges, std::int64_t bins) {
  std::int64_t low = 0;
  for (std::int64_t left = bins; left > 1;) {
    const std::int64_t half = left / 2;
    low = edges[low + half] <= x ? low + half : low;
    left -= half;
  }
  return static_cast<double>(low);
}

/// Evenly spaced bins. Their edges are computed as they were made, which gives the same bits as they are stored.
struct Even {
  double low;
  double high;
  double bins;
  double step;
  double scale;

  /// The bins of one value or a vector of them, `bins` for those outside; `unsure` is not 0 where one step from the
  /// guess, either way, was not enough.
  template <class V>
  HWY_INLINE V bin_of(V x, V& unsure) const {
    const V zero{};
    const V last = zero + (bins - 1);
    const V guess = (x - low) * scale;
    // NaN compares false.
    const V below_last = guess < last ? guess : last;
    const V clamped = guess > zero ? below_last : zero;
    // Rounds to a whole number: the sum has no bits for more.
    const V rounded = (clamped + 0x1p52) - 0x1p52;
    const V down = ((x < low + rounded * step) & (rounded > zero)) ? rounded - 1 : rounded;
    const V bin = ((x >= low + (down + 1) * step) & (down < last)) ? down + 1 : down;
    const auto inside = (x >= low) & (x <= high);
    const auto right = (x >= low + bin * step) & ((x < low + (bin + 1) * step) | (bin == last));
    unsure = (inside & !right) ? zero + 1 : unsure;
    return inside ? bin : zero + bins;
  }
};

constexpr std::int64_t kBlock = 256;

/// Whether the bins of x[0, n) could be told from the spacing alone.
HWY_INLINE bool scaled_bins(const Even& even, const double* x, std::int64_t n, double* found) {
  using V = Vector<double>;
  std::int64_t i = 0;
  double unsure = 0;
  if constexpr (kHasVectors) {
    V any{};
    for (; i + kLanesOf<double> <= n; i += kLanesOf<double>) {
      V each;
      load_vector(x + i, each);
      store_vector(even.bin_of(each, any), found + i);
    }
    for (std::int64_t k = 0; k < kLanesOf<double>; ++k) unsure += any[k];
  }
  for (; i < n; ++i) found[i] = even.bin_of(x[i], unsure);
  return unsure == 0;
}

HWY_FLATTEN void histogram(const double* x, std::int64_t n, const double* edges, std::int64_t bins, double scale,
                           std::int64_t* counts) {
  const double low = edges[0];
  const double high = edges[bins];
  const auto all = static_cast<double>(bins);
  const Even even{low, high, all, (high - low) / all, scale};
  double found[kBlock];
  for (std::int64_t start = 0; start < n; start += kBlock) {
    const std::int64_t length = n - start < kBlock ? n - start : kBlock;
    const double* from = x + start;
    if (scale == 0 || !scaled_bins(even, from, length, found)) {
      for (std::int64_t i = 0; i < length; ++i) {
        found[i] = from[i] >= low && from[i] <= high ? search_bin(from[i], edges, bins) : all;
      }
    }
    // Equal neighbours, which pictures are full of, count in different places: none waits for the one before it.
    for (std::int64_t i = 0; i < length; ++i)
      ++counts[static_cast<std::int64_t>(found[i]) * kHistogramCopies + i % kHistogramCopies];
  }
}

}  // namespace

void fill_histogram(Table& table);
void fill_histogram(Table& table) { table.histogram = histogram; }

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
