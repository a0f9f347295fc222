// SPDX-License-Identifier: Apache-2.0
// Tiles of a matrix product, out (rows x columns) = a (rows x depth) b (depth x columns), held in registers.
//
//   packed a: panels of kRows rows        packed b: panels of kColumns columns
//     for each p: a[0][p] ... a[7][p]        for each p: b[p][0] ... b[p][47]
//
// Complex panels hold for each p the real parts, then the imaginary parts. Places past the matrix's edge hold 0. Each
// element adds its products in the order of p, one rounding each, whatever the tile: its bits depend on depth alone.
#if defined(PENSTOCK_KERNEL_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef PENSTOCK_KERNEL_MATMUL_INL_H_
#undef PENSTOCK_KERNEL_MATMUL_INL_H_
#else
#define PENSTOCK_KERNEL_MATMUL_INL_H_
#endif

#include <algorithm>

#include "penstock/kernel/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

/// Registers of a tile: kRows x kVectors for sums, kVectors for b, one for a. Complex tiles take twice of each.
template <bool kComplex>
struct TileSize {
#if HWY_TARGET == HWY_SCALAR
  static constexpr int kRows = 2;
  static constexpr int kVectors = 2;
#elif HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_AVX2
  static constexpr int kRows = kComplex ? 4 : 6;  // of 16 registers
  static constexpr int kVectors = kComplex ? 1 : 2;
#else
  static constexpr int kRows = kComplex ? 6 : 8;  // of 32
  static constexpr int kVectors = kComplex ? 2 : 3;
#endif
};

template <class A, bool kComplex>
struct Tiles {
  using Lane = typename A::Lane;
  using Element = typename A::Element;
  using R = Register<Lane>;
  using V = typename R::V;
  static constexpr int kHalves = kComplex ? 2 : 1;
  static constexpr int kRows = TileSize<kComplex>::kRows;
  static constexpr int kVectors = TileSize<kComplex>::kVectors;
  static constexpr std::int64_t kColumns = kVectors * R::kLanes;
  static constexpr auto kElementBytes = static_cast<std::int64_t>(kHalves * sizeof(Element));

  /// Element i of the panel's p comes from in + i * across + p * along bytes, for i below `rows`; the others are 0.
  template <std::int64_t kWidth>
  static HWY_INLINE void pack_panel(const std::byte* in, std::int64_t across, std::int64_t along, std::int64_t rows,
                                    std::int64_t depth, Lane* out) {
    if (rows < kWidth) std::memset(out, 0, static_cast<std::size_t>(kWidth * depth * kHalves) * sizeof(Lane));
    if (along == kElementBytes) {
      for (std::int64_t i = 0; i < rows; ++i, in += across) {
        for (std::int64_t p = 0; p < depth; ++p) put(in + p * kElementBytes, out + p * kWidth * kHalves + i, kWidth);
      }
      return;
    }
    for (std::int64_t p = 0; p < depth; ++p, in += along, out += kWidth * kHalves) {
      for (std::int64_t i = 0; i < rows; ++i) put(in + i * across, out + i, kWidth);
    }
  }

  /// The same for whole panels, whose elements lie side by side in one direction.
  template <std::int64_t kWidth>
  static HWY_INLINE void pack_beside(const std::byte* in, std::int64_t along, std::int64_t depth, Lane* out) {
    for (std::int64_t p = 0; p < depth; ++p) {
      Lane* to = out + p * kWidth * kHalves;
      const std::byte* from = in + p * along;
      // Rows lie apart, so that no prefetcher knows of the next ones.
      for (std::int64_t byte = 0; byte <= kWidth * kElementBytes; byte += 64)
        __builtin_prefetch(from + 8 * along + byte);
      PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < kWidth; ++i) put(from + i * kElementBytes, to + i, kWidth);
    }
  }
  template <std::int64_t kWidth>
  static HWY_INLINE void pack_turned(const std::byte* in, std::int64_t across, std::int64_t depth, Lane* out) {
    constexpr std::int64_t kAtOnce = kWidth % 8 == 0 ? 8 : 2;
    for (std::int64_t first = 0; first < kWidth; first += kAtOnce) {
      const std::byte* from = in + first * across;
      for (std::int64_t p = 0; p < depth; ++p, from += kElementBytes) {
        Lane* to = out + p * kWidth * kHalves + first;
        PENSTOCK_UNROLL for (std::int64_t i = 0; i < kAtOnce; ++i) put(from + i * across, to + i, kWidth);
      }
    }
  }

  template <std::int64_t kWidth>
  static HWY_INLINE void pack(const void* in, std::int64_t across, std::int64_t along, std::int64_t n,
                              std::int64_t depth, void* out) {
    const auto* from = static_cast<const std::byte*>(in);
    auto* to = static_cast<Lane*>(out);
    for (std::int64_t first = 0; first < n; first += kWidth, from += kWidth * across, to += kWidth * depth * kHalves) {
      const std::int64_t rows = std::min(kWidth, n - first);
      if (rows == kWidth && across == kElementBytes)
        pack_beside<kWidth>(from, along, depth, to);
      else if (rows == kWidth && along == kElementBytes)
        pack_turned<kWidth>(from, across, depth, to);
      else
        pack_panel<kWidth>(from, across, along, rows, depth, to);
    }
  }
  static HWY_FLATTEN void pack_rows(const void* in, std::int64_t across, std::int64_t along, std::int64_t n,
                                    std::int64_t depth, void* out) {
    pack<kRows>(in, across, along, n, depth, out);
  }
  static HWY_FLATTEN void pack_columns(const void* in, std::int64_t across, std::int64_t along, std::int64_t n,
                                       std::int64_t depth, void* out) {
    pack<kColumns>(in, across, along, n, depth, out);
  }

  static HWY_INLINE void multiply(const void* a, const void* b, std::int64_t depth, void* out, std::int64_t stride,
                                  std::int64_t rows, std::int64_t columns, bool add, const void* ahead) {
    // At the right edge a tile of fewer registers does what is left.
    if (kVectors > 1 && columns <= R::kLanes)
      tile<1>(a, b, depth, out, stride, rows, columns, add, ahead);
    else if (kVectors > 2 && columns <= 2 * R::kLanes)
      tile < kVectors<2 ? 1 : 2>(a, b, depth, out, stride, rows, columns, add, ahead);
    else
      tile<kVectors>(a, b, depth, out, stride, rows, columns, add, ahead);
  }
  static HWY_FLATTEN void multiply_any(const void* a, const void* b, std::int64_t depth, void* out, std::int64_t stride,
                                       std::int64_t rows, std::int64_t columns, bool add, const void* ahead) {
    multiply(a, b, depth, out, stride, rows, columns, add, ahead);
  }
  /// For CPUs with FMA.
  static PENSTOCK_FUSED HWY_FLATTEN void multiply_fused(const void* a, const void* b, std::int64_t depth, void* out,
                                                        std::int64_t stride, std::int64_t rows, std::int64_t columns,
                                                        bool add, const void* ahead) {
    multiply(a, b, depth, out, stride, rows, columns, add, ahead);
  }

 private:
  static HWY_INLINE void put(const std::byte* from, Lane* to, std::int64_t width) {
    Element halves[kHalves];
    std::memcpy(halves, from, sizeof halves);
    to[0] = halves[0];
    if constexpr (kComplex) to[width] = halves[1];
  }

  /// Sums in registers; half h of row i's vector j.
  template <int kWide>
  using Sums = V[kHalves][kRows][kWide];

  template <int kWide>
  static HWY_INLINE void tile(const void* a, const void* b, std::int64_t depth, void* out, std::int64_t stride,
                              std::int64_t rows, std::int64_t columns, bool add, const void* ahead) {
    Sums<kWide> sums;
    PENSTOCK_UNROLL for (int half = 0; half < kHalves; ++half) {
      PENSTOCK_UNROLL for (int i = 0; i < kRows; ++i) {
        PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) sums[half][i][j] = V{};
      }
    }
    auto* to = static_cast<Element*>(out);
    stride /= static_cast<std::int64_t>(sizeof(Element));
    // What is written to lies farther away than the panels: on its way while these are multiplied.
    for (std::int64_t i = 0; i < rows; ++i) {
      for (int j = 0; j < kWide * kHalves; ++j) __builtin_prefetch(to + i * stride + j * R::kLanes, 1);
    }
    const auto* next = static_cast<const Lane*>(ahead);
    const auto* x = static_cast<const Lane*>(a);
    const auto* y = static_cast<const Lane*>(b);
    for (std::int64_t p = 0; p < depth; ++p, x += kRows * kHalves, y += kColumns * kHalves) {
      __builtin_prefetch(next, 0, 2);
      next += kColumns * kHalves;
      fetch_ahead<kWide>(x, y);
      if constexpr (kComplex)
        step_complex<kWide>(x, y, sums);
      else
        step<kWide>(x, y, sums);
    }
    if constexpr (!kComplex && std::is_same_v<Lane, Element>) {
      if (rows == kRows && columns == kWide * R::kLanes) return store_whole<kWide>(sums, to, stride, add);
    }
    store_part<kWide>(sums, to, stride, rows, columns, add);
  }

  /// Both panels come from the second-level cache: their lines are asked for some steps before they are loaded.
  template <int kWide>
  static HWY_INLINE void fetch_ahead(const Lane* x, const Lane* y) {
    constexpr auto kLine = static_cast<std::int64_t>(64 / sizeof(Lane));
    __builtin_prefetch(x + 32 * kRows * kHalves);
    PENSTOCK_UNROLL for (std::int64_t i = 0; i < kWide * R::kLanes * kHalves; i += kLine)
        __builtin_prefetch(y + 8 * kColumns * kHalves + i);
  }

  template <int kWide>
  static HWY_INLINE void step(const Lane* x, const Lane* y, Sums<kWide>& sums) {
    V row[kWide];
    PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) {
      row[j] = R::load(y + j * R::kLanes);
      R::keep(row[j]);
    }
    PENSTOCK_UNROLL for (int i = 0; i < kRows; ++i) {
      const V each = R::all(x[i]);
      PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) sums[0][i][j] = A::multiply_add(each, row[j], sums[0][i][j]);
    }
  }

  template <int kWide>
  static HWY_INLINE void step_complex(const Lane* x, const Lane* y, Sums<kWide>& sums) {
    V re[kWide];
    V im[kWide];
    PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) {
      re[j] = R::load(y + j * R::kLanes);
      im[j] = R::load(y + kColumns + j * R::kLanes);
    }
    PENSTOCK_UNROLL for (int i = 0; i < kRows; ++i) {
      const V a = R::all(x[i]);
      const V b = R::all(x[kRows + i]);
      PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) {
        sums[0][i][j] = A::subtract_product(b, im[j], A::multiply_add(a, re[j], sums[0][i][j]));
        sums[1][i][j] = A::multiply_add(b, re[j], A::multiply_add(a, im[j], sums[1][i][j]));
      }
    }
  }

  template <int kWide>
  static HWY_INLINE void store_whole(const Sums<kWide>& sums, Element* to, std::int64_t stride, bool add) {
    PENSTOCK_UNROLL for (int i = 0; i < kRows; ++i) {
      PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) {
        Element* at = to + i * stride + j * R::kLanes;
        V v = sums[0][i][j];
        if (add) v = A::add_all(R::load(at), v);
        R::store(v, at);
      }
    }
  }

  template <int kWide>
  static HWY_INLINE void store_part(const Sums<kWide>& sums, Element* to, std::int64_t stride, std::int64_t rows,
                                    std::int64_t columns, bool add) {
    Lane all[kHalves][kRows][kWide * R::kLanes];
    PENSTOCK_UNROLL for (int half = 0; half < kHalves; ++half) {
      PENSTOCK_UNROLL for (int i = 0; i < kRows; ++i) {
        PENSTOCK_UNROLL for (int j = 0; j < kWide; ++j) R::store(sums[half][i][j], all[half][i] + j * R::kLanes);
      }
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        for (int half = 0; half < kHalves; ++half) {
          Element& at = to[i * stride + j * kHalves + half];
          const auto v = static_cast<Element>(all[half][i][j]);
          at = add ? A::add(at, v) : v;
        }
      }
    }
  }
};

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
