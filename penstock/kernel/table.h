// SPDX-License-Identifier: Apache-2.0
// The kernels of one CPU target as a table of function pointers, chosen once.
//
// A kernel takes pointers and counts and cannot fail: operands are contiguous, converted to the compute dtype, and
// hold n elements. `out` may be exactly one of the operands (same element size) but may not overlap one otherwise.
// No pointer needs more alignment than its element type. All targets give the same bits, apart from maths on
// targets without FMA (simd/maths.def).
#pragma once

#include <cstdint>

#include "penstock/op/ops.h"
#include "penstock/type/dtype.h"

namespace penstock::kernel {

/// out[0, n) = op(in[0][0, n), ...). bool elements are bytes of 0 or 1.
using Elementwise = void (*)(const void* const* in, void* out, std::int64_t n);

/// out[0, n) = in[0, n) converted. Out of range saturates, NaN becomes 0, complex loses its imaginary part,
/// to bool is x != 0, float to integer truncates towards 0.
using Cast = void (*)(const void* in, void* out, std::int64_t n);

/// out[i] = the element at in + i * stride bytes (any stride, 0 included; addresses may be unaligned).
using Pack = void (*)(const void* in, std::int64_t stride, void* out, std::int64_t n);

/// The element at out + i * stride bytes = in[i].
using Unpack = void (*)(const void* in, void* out, std::int64_t stride, std::int64_t n);

/// The element at out + r * out_stride + c * size = the element at in + c * in_stride + r * size, for r in [0, rows)
/// and c in [0, columns): runs of `rows` elements become columns. Any strides in bytes; the places written are
/// distinct.
using Transpose = void (*)(const void* in, std::int64_t in_stride, void* out, std::int64_t out_stride,
                           std::int64_t rows, std::int64_t columns);

/// out[0, bytes) = in[0, bytes) with non-temporal stores where the target has them: other threads see them in order
/// with later stores only after Table::fence. A fence costs as much as a tile, so one ends many calls.
using Stream = void (*)(const void* in, void* out, std::int64_t bytes);

/// Elements as unsigned keys that sort like them (kernel/sort.h), and back.
struct Coding {
  /// n elements as keys; of keys that hold places, the first element's is `first`. True where a -0.0 was among them,
  /// which a sort of values puts before each 0.0.
  bool (*encode)(const void* x, std::int64_t n, std::int64_t first, void* out) = nullptr;
  /// Keys as the elements that they were, or as their int64 places. Where these have a key's size, `out` may be x.
  void (*decode)(const void* x, std::int64_t n, void* out) = nullptr;
};

/// Writes each of n unsigned keys to `low` where it is less than the one at `pivot`, or with `equal` equal to it, else
/// to `high`, in their order: how many went to `low`. Both have room for n keys and kDivideSlack bytes.
using Divide = std::int64_t (*)(const void* x, std::int64_t n, const void* pivot, bool equal, void* low, void* high);
inline constexpr std::int64_t kDivideSlack = 64;

/// out[i] = start + (first + i * step) * delta, computed in the dtype (integers wrap; floats in float64, rounded once).
/// `start` and `delta` point to one element of it each.
using Iota = void (*)(const void* start, const void* delta, std::int64_t first, std::int64_t step, void* out,
                      std::int64_t n);

/// One reduction over one accumulator dtype. The state is `width` slots, structure of arrays by field: field f of slot
/// s lies at state + (f * width + s) * field_bytes.
///
///   sum, prod, min, max   one field of the accumulator dtype: the value
///   argmin, argmax        two fields of 8 bytes: the value (in the first bytes of its 8), the index (int64)
///   moments               two fields of the accumulator dtype: mean and M2 = sum of (x - mean)^2; counts are the
///   caller's
///
/// `position` is the place of x[0] in the reduced run; the reduced index of x[i] is (position + i) / channels, where
/// `channels` neighbouring elements belong to as many different outputs. `seen` is the number of elements that each
/// touched slot holds before the call (moments). Ties of argmin and argmax go to the smaller index; the first NaN wins.
/// min and max give NaN if there is one, and order -0 < +0. Neutral elements: -0.0 for a float sum, 1, +-inf or the
/// dtype's ends; argmin and argmax start from index -1, which loses to every element.
struct Reducer {
  int fields = 0;
  std::int64_t field_bytes = 0;
  int result_field = 0;  // the field that is the result: index of argmin and argmax, M2 of moments

  /// Sets slots [first, first + n) of a state of `width` slots to the neutral element.
  void (*clear)(void* state, std::int64_t width, std::int64_t first, std::int64_t n) = nullptr;

  /// Folds x[i] into slot first + i for i in [0, n), first + n <= width: one element a slot.
  void (*fold)(void* state, std::int64_t width, std::int64_t first, const void* x, std::int64_t n,
               std::int64_t position, std::int64_t channels, std::int64_t seen) = nullptr;

  /// Folds x[g * stride + s] into slot s, for g in [0, groups), in order where it matters; their positions are those of
  /// groups that lie one after the other. The fast loop: blocks of slots stay in vector registers over all groups.
  void (*fold_groups)(void* state, std::int64_t width, const void* x, std::int64_t stride, std::int64_t groups,
                      std::int64_t position, std::int64_t channels, std::int64_t seen) = nullptr;

  /// Merges slots [b_first, b_first + n) of b into slots [a_first, a_first + n) of a; a's elements come first. na and
  /// nb are the element counts behind each of these slots (moments); a and b may be one state when the ranges are
  /// disjoint.
  void (*merge)(void* a, std::int64_t a_width, std::int64_t a_first, const void* b, std::int64_t b_width,
                std::int64_t b_first, std::int64_t n, double na, double nb) = nullptr;

  /// Merges a state of lanes * channels slots (slot = lane * channels + channel) into its first `channels` slots by
  /// halves: lane l with lane l + lanes / 2, then lanes / 4 ... `lanes` is a power of two; every slot holds `seen`
  /// elements.
  void (*collapse)(void* state, std::int64_t lanes, std::int64_t channels, double seen) = nullptr;

  /// Optional, for sums and products of one channel: the node over `leaves` whole leaves of x, a power of two of at
  /// most kMostLeaves: the same bits as folding, collapsing and merging them one by one, without the calls.
  void (*fold_tree)(const void* x, std::int64_t leaves, void* node) = nullptr;
};

/// Virtual lanes of a reduction: constants of Penstock, never of the machine, so that every target gives the same bits.
constexpr std::int64_t lanes_of(DType accumulator) { return size_of(accumulator) <= 4 ? 64 : 32; }
/// Groups of lanes in a leaf of the reduction tree: 1,024 elements of at most 4 bytes, 512 of 8 or more.
inline constexpr std::int64_t kLeafGroups = 16;
/// Counts that a histogram keeps of each bin; their sum is the bin's.
inline constexpr std::int64_t kHistogramCopies = 4;
/// Leaves that fold_tree takes at most.
inline constexpr std::int64_t kMostLeaves = 64;

/// Products of matrices and of vectors over one dtype. Integers wrap; of bool, + is or and * is and. Floats multiply
/// and add with one rounding: all targets with FMA (the scalar one uses it where the CPU has it) give the same bits.
struct Product {
  std::int64_t rows = 0;          // of a tile
  std::int64_t columns = 0;       // of a tile
  std::int64_t packed_bytes = 0;  // of an element in a panel

  /// Packs n rows of a (columns of b), `depth` elements each, into panels of `rows` (`columns`) of them, one after the
  /// other, the last filled up with zeros. The element of row i at depth p is at in + i * across + p * along bytes.
  void (*pack_rows)(const void* in, std::int64_t across, std::int64_t along, std::int64_t n, std::int64_t depth,
                    void* out) = nullptr;
  void (*pack_columns)(const void* in, std::int64_t across, std::int64_t along, std::int64_t n, std::int64_t depth,
                       void* out) = nullptr;

  /// The first `rows` rows and `columns` columns (at most a tile's) of the product of panel a and panel b, or its sum
  /// with what is there (`add`). The element of row i and column j is at out + i * stride + j elements; stride in
  /// bytes. Meanwhile it fetches a cache line of each row of the panel of b at `ahead` into L2.
  void (*multiply)(const void* a, const void* b, std::int64_t depth, void* out, std::int64_t stride, std::int64_t rows,
                   std::int64_t columns, bool add, const void* ahead) = nullptr;

  /// One element: the sum of x[i] y[i] for i in [0, n), n at most kDotLeaves leaves, along the reductions' tree; 0 for
  /// none.
  void (*dot)(const void* x, const void* y, std::int64_t n, void* out) = nullptr;
  /// One element: a = a + b.
  void (*merge)(void* a, const void* b) = nullptr;
};

/// Rows of b that a tile multiplies before its sums are stored: the sum over more of them is taken of such sums, one
/// after the other. A constant of Penstock: the bits of a product depend on it.
inline constexpr std::int64_t kProductDepth = 512;
/// Leaves of one call of Product::dot; a power of two.
inline constexpr std::int64_t kDotLeaves = 4;

struct Table {
  const char* target = "";                         // as PENSTOCK_SIMD spells it
  Elementwise elementwise[kOpCount][kDTypeCount];  // by compute dtype; null where op/infer.h refuses
  Elementwise streaming[kOpCount][kDTypeCount];    // the same with stores as Stream's; null where they gain nothing
  Cast cast[kDTypeCount][kDTypeCount];             // [from][to]
  Pack pack[5];                                    // by log2 of the element size, 1 to 16 bytes
  Pack pack_swapped[5];                            // the same, reversing the bytes of each element
  Pack pack_swapped_pairs[2];                      // complex64, complex128: each half reversed by itself
  Unpack unpack[5];
  Transpose transpose[5];
  Coding coding[2][kDTypeCount];  // ascending and descending; null where elements have no order
  Divide divide[5];               // by log2 of the key's size: of 2 to 8 bytes
  Stream stream;
  void (*fence)();
  Iota iota[kDTypeCount];
  Reducer reduce[kReductionCount][kDTypeCount];  // by accumulator dtype; fold is null where there is none
  Product product[kDTypeCount];                  // none of float16

  /// Adds to counts[b * kHistogramCopies + c], over all c, the number of x[i] in [edges[b], edges[b + 1]), the last bin
  /// closed on both sides; what lies outside, and NaN, goes to b = bins. `edges` has bins + 1 ascending entries, bins
  /// less than 2^31. `scale` is bins / (last - first edge) where edges[b] = edges[0] + b * ((last - first edge) /
  /// bins), apart from the last, and 0 otherwise.
  void (*histogram)(const double* x, std::int64_t n, const double* edges, std::int64_t bins, double scale,
                    std::int64_t* counts);
};

/// The table of the target that simd/target.h has chosen; one relaxed load.
const Table& table();

}  // namespace penstock::kernel
