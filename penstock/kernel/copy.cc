// SPDX-License-Identifier: Apache-2.0
// Kernels that move or make elements: pack, unpack, stream and iota.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/copy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include <cstring>
#include <type_traits>

#include "hwy/cache_control.h"
#include "penstock/kernel/convert-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Sixteen bytes as two words.
struct Wide {
  std::uint64_t low;
  std::uint64_t high;
};

/// The same in one register, where its halves are nobody's business.
using Whole = std::uint64_t __attribute__((vector_size(16)));

enum class Swap { kNone, kWhole, kHalves };

template <class T>
HWY_INLINE T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
HWY_INLINE void store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

HWY_INLINE std::uint8_t reversed(std::uint8_t x) { return x; }
HWY_INLINE std::uint16_t reversed(std::uint16_t x) { return __builtin_bswap16(x); }
HWY_INLINE std::uint32_t reversed(std::uint32_t x) { return __builtin_bswap32(x); }
HWY_INLINE std::uint64_t reversed(std::uint64_t x) { return __builtin_bswap64(x); }
HWY_INLINE Wide reversed(Wide x) { return {reversed(x.high), reversed(x.low)}; }

/// A complex number with each half reversed in its place; little endian.
HWY_INLINE std::uint64_t reversed_halves(std::uint64_t x) {
  const std::uint64_t swapped = reversed(x);
  return swapped << 32 | swapped >> 32;
}
HWY_INLINE Wide reversed_halves(Wide x) { return {reversed(x.low), reversed(x.high)}; }

template <class T, Swap kSwap>
HWY_INLINE T swapped(T x) {
  if constexpr (kSwap == Swap::kWhole) {
    return reversed(x);
  } else if constexpr (kSwap == Swap::kHalves) {
    return reversed_halves(x);
  } else {
    return x;
  }
}

/// Elements kStep apart: the compiler makes shuffles of a step that it knows.
template <class T, Swap kSwap, std::int64_t kStep>
HWY_INLINE void pack_steps(const std::byte* from, std::byte* to, std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(T);
  PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i)
      store(to + i * kSize, swapped<T, kSwap>(load<T>(from + i * kStep * kSize)));
}

#if HWY_TARGET != HWY_SCALAR
/// Blocks of 16 bytes `stride` apart, side by side in a vector.
template <class D>
HWY_INLINE hn::VFromD<D> blocks(D d, const std::byte* from, std::int64_t stride) {
  if constexpr (hn::MaxLanes(d) == 16) {
    return hn::LoadU(d, reinterpret_cast<const std::uint8_t*>(from));
  } else {
    const hn::Half<D> half;
    constexpr auto kBlocks = static_cast<std::int64_t>(hn::MaxLanes(half) / 16);
    return hn::Combine(d, blocks(half, from + kBlocks * stride, stride), blocks(half, from, stride));
  }
}

/// The elements of 16 bytes that fill whole vectors, each of them stored at once; how many they are.
HWY_INLINE std::int64_t pack_vectors(const std::byte* from, std::int64_t stride, std::byte* to, std::int64_t n) {
  const hn::CappedTag<std::uint8_t, 64> d;
  constexpr auto kBlocks = static_cast<std::int64_t>(hn::MaxLanes(d) / 16);
  std::int64_t i = 0;
  for (; i + kBlocks <= n; i += kBlocks)
    hn::StoreU(blocks(d, from + i * stride, stride), d, reinterpret_cast<std::uint8_t*>(to + i * 16));
  return i;
}
#endif

template <class T, Swap kSwap>
HWY_FLATTEN void pack(const void* in, std::int64_t stride, void* out, std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(T);
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  if constexpr (kSize == 16) {
    // What fills no vector, or is swapped, takes a register each: the compiler's shuffles would take longer.
    std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (kSwap == Swap::kNone) i = pack_vectors(from, stride, to, n);
#endif
#pragma GCC unroll 8
    for (; i < n; ++i) store(to + i * kSize, swapped<T, kSwap>(load<T>(from + i * stride)));
  } else if (stride == kSize) {
    pack_steps<T, kSwap, 1>(from, to, n);
  } else if (stride == 2 * kSize) {
    pack_steps<T, kSwap, 2>(from, to, n);
  } else if (stride == 3 * kSize) {
    pack_steps<T, kSwap, 3>(from, to, n);
  } else if (stride == 4 * kSize) {
    pack_steps<T, kSwap, 4>(from, to, n);
  } else if (stride == 0) {
    if (n <= 0) return;
    const T value = swapped<T, kSwap>(load<T>(from));
    for (std::int64_t i = 0; i < n; ++i) store(to + i * kSize, value);
  } else {
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i)
        store(to + i * kSize, swapped<T, kSwap>(load<T>(from + i * stride)));
  }
}

template <class T>
HWY_FLATTEN void unpack(const void* in, void* out, std::int64_t stride, std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(T);
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  if (stride == kSize) {
    if (n > 0) std::memmove(to, from, static_cast<std::size_t>(n * kSize));
    return;
  }
  // In order: of several elements with one address (stride 0) the last one stays.
  for (std::int64_t i = 0; i < n; ++i) store(to + i * stride, load<T>(from + i * kSize));
}

#if HWY_TARGET != HWY_SCALAR
/// A square of 16 bytes a side. Each step interleaves the first half of the vectors with the second, which turns one
/// bit of (row, column) at a time.
template <class T>
HWY_INLINE void transpose_square(const std::byte* in, std::int64_t in_stride, std::byte* out, std::int64_t out_stride) {
  constexpr std::size_t kSide = 16 / sizeof(T);
  const hn::FixedTag<T, kSide> d;
  hn::VFromD<decltype(d)> v[kSide];
  for (std::size_t c = 0; c < kSide; ++c) {
    T part[kSide];
    std::memcpy(part, in + static_cast<std::int64_t>(c) * in_stride, sizeof part);
    v[c] = hn::LoadU(d, part);
  }
  for (std::size_t step = 1; step < kSide; step *= 2) {
    hn::VFromD<decltype(d)> w[kSide];
    for (std::size_t i = 0; i < kSide / 2; ++i) {
      w[2 * i] = hn::InterleaveLower(d, v[i], v[i + kSide / 2]);
      w[2 * i + 1] = hn::InterleaveUpper(d, v[i], v[i + kSide / 2]);
    }
    for (std::size_t i = 0; i < kSide; ++i) v[i] = w[i];
  }
  for (std::size_t r = 0; r < kSide; ++r) {
    T part[kSide];
    hn::StoreU(v[r], d, part);
    std::memcpy(out + static_cast<std::int64_t>(r) * out_stride, part, sizeof part);
  }
}
#endif

#if HWY_TARGET != HWY_SCALAR
/// Squares over whole rows and columns of squares; the lines of a column are used up before the next column's.
template <class T>
HWY_INLINE void transpose_squares(const std::byte* in, std::int64_t in_stride, std::byte* out, std::int64_t out_stride,
                                  std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kSide = 16 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t c = 0; c < columns; c += kSide) {
    for (std::int64_t r = 0; r < rows; r += kSide) {
      transpose_square<T>(in + c * in_stride + r * static_cast<std::int64_t>(sizeof(T)), in_stride,
                          out + r * out_stride + c * static_cast<std::int64_t>(sizeof(T)), out_stride);
    }
  }
}

/// A square of a cache line a side, of which whole lines are written past the cache.
template <class T>
HWY_INLINE void transpose_lines(const std::byte* in, std::int64_t in_stride, std::byte* out, std::int64_t out_stride) {
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(T));
  alignas(64) std::byte stage[kLine * 64];
  transpose_squares<T>(in, in_stride, stage, 64, kLine, kLine);
  const hn::FixedTag<std::uint8_t, 16> d;
  for (std::int64_t r = 0; r < kLine; ++r) {
    for (std::int64_t b = 0; b < 64; b += 16) {
      hn::Stream(hn::Load(d, reinterpret_cast<const std::uint8_t*>(stage + r * 64 + b)), d,
                 reinterpret_cast<std::uint8_t*>(out + r * out_stride + b));
    }
  }
}
#endif

/// Strips of a cache line of the output, each from its first row to its last, while the next one is fetched.
template <class T>
HWY_FLATTEN void transpose(const void* in, std::int64_t in_stride, void* out, std::int64_t out_stride,
                           std::int64_t rows, std::int64_t columns) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  std::int64_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) <= 8) {
    constexpr std::int64_t kSide = 16 / kSize;
    constexpr std::int64_t kLine = 64 / kSize;
    const bool aligned = reinterpret_cast<std::uintptr_t>(out) % 64 == 0 && out_stride % 64 == 0;
    for (std::int64_t width = kLine; c + kSide <= columns; c += width) {
      if (c + kLine > columns) width = (columns - c) / kSide * kSide;
      std::int64_t r = 0;
      for (std::int64_t height = kLine; r + kSide <= rows; r += height) {
        if (r + kLine > rows) height = (rows - r) / kSide * kSide;
        const std::byte* at = from + c * in_stride + r * kSize;
        std::byte* place = to + r * out_stride + c * kSize;
        for (std::int64_t k = width; k < 2 * width; ++k) __builtin_prefetch(at + k * in_stride, 0, 3);
        if (aligned && width == kLine && height == kLine)
          transpose_lines<T>(at, in_stride, place, out_stride);
        else
          transpose_squares<T>(at, in_stride, place, out_stride, height, width);
      }
      for (; r < rows; ++r) {
        pack<T, Swap::kNone>(from + c * in_stride + r * kSize, in_stride, to + r * out_stride + c * kSize, width);
      }
    }
    if (aligned) hwy::FlushStream();
  }
#endif
  for (; c < columns; ++c) unpack<T>(from + c * in_stride, to + c * kSize, out_stride, rows);
}

void stream(const void* in, void* out, std::int64_t bytes) {
#if HWY_TARGET == HWY_SCALAR
  if (bytes > 0) std::memcpy(out, in, static_cast<std::size_t>(bytes));
#else
  const hn::ScalableTag<std::uint8_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto* from = static_cast<const std::uint8_t*>(in);
  auto* to = static_cast<std::uint8_t*>(out);
  const auto past =
      static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) & static_cast<std::uintptr_t>(lanes - 1));
  std::int64_t i = past == 0 ? 0 : lanes - past;  // up to the first aligned byte
  if (i > bytes) i = bytes;
  if (i > 0) std::memcpy(to, from, static_cast<std::size_t>(i));
  for (; i + lanes <= bytes; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  if (i < bytes) std::memcpy(to + i, from + i, static_cast<std::size_t>(bytes - i));
#endif
}

template <class T>
struct Progression {
  T start;
  T delta;
  HWY_INLINE T at(std::uint64_t k) const {
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(static_cast<std::uint64_t>(start) + k * static_cast<std::uint64_t>(delta));
    } else {
      const double step = static_cast<double>(static_cast<std::int64_t>(k));
      return convert<T>(convert<double>(start) + step * convert<double>(delta));
    }
  }
};
template <class T>
struct Progression<Pair<T>> {
  Pair<T> start;
  Pair<T> delta;
  HWY_INLINE Pair<T> at(std::uint64_t k) const {
    return {Progression<T>{start.re, delta.re}.at(k), Progression<T>{start.im, delta.im}.at(k)};
  }
};

template <class T>
HWY_FLATTEN void iota(const void* start, const void* delta, std::int64_t first, std::int64_t step, void* out,
                      std::int64_t n) {
  Progression<T> line;
  std::memcpy(&line.start, start, sizeof(T));
  std::memcpy(&line.delta, delta, sizeof(T));
  T* r = static_cast<T*>(out);
  const auto base = static_cast<std::uint64_t>(first);
  for (std::int64_t i = 0; i < n; ++i) {
    r[i] = line.at(base + static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(step));
  }
}

template <class T, int kLog2>
void fill_size(Table& table) {
  using Moved = std::conditional_t<sizeof(T) == sizeof(Whole), Whole, T>;
  table.pack[kLog2] = pack<Moved, Swap::kNone>;
  table.pack_swapped[kLog2] = pack<T, Swap::kWhole>;
  table.unpack[kLog2] = unpack<Moved>;
  table.transpose[kLog2] = transpose<T>;
}

}  // namespace

void fill_copy(Table& table);
void fill_copy(Table& table) {
  fill_size<std::uint8_t, 0>(table);
  fill_size<std::uint16_t, 1>(table);
  fill_size<std::uint32_t, 2>(table);
  fill_size<std::uint64_t, 3>(table);
  fill_size<Wide, 4>(table);
  table.pack_swapped_pairs[0] = pack<std::uint64_t, Swap::kHalves>;
  table.pack_swapped_pairs[1] = pack<Wide, Swap::kHalves>;
  table.stream = stream;
  table.fence = hwy::FlushStream;
#define PENSTOCK_DTYPE(name, type, kind, npy) table.iota[index_of(DType::k_##name)] = iota<ElementOf<type>>;
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
