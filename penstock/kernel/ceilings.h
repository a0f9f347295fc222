// SPDX-License-Identifier: Apache-2.0
// Loops whose one use is to measure what a machine can do at most: the bandwidth of its memories and the rate of its
// arithmetic. They compute something known, so that a test can tell that they were not optimised away.
#pragma once

#include <cstdint>

namespace penstock::kernel {

/// Bytes of the states below: twelve of the widest vectors, enough of them to hide the latency of the arithmetic.
inline constexpr std::int64_t kCeilingBytes = 768;

/// The loops of one CPU target. Counts are multiples of kCeilingUnit; no pointer needs more alignment than its type's,
/// apart from `out`, which starts a cache line.
struct Ceilings {
  /// The xor of from[0, n).
  std::uint64_t (*read)(const std::uint64_t* from, std::int64_t n);

  /// out[i] = a[i]; a[i] + b[i]; a[i] + 3 * b[i], rounded once or twice: the loops of the STREAM benchmark. `past`:
  /// with non-temporal stores where the target has them, in order with later stores when the call returns.
  void (*copy)(const double* a, const double* b, double* out, std::int64_t n, bool past);
  void (*add)(const double* a, const double* b, double* out, std::int64_t n, bool past);
  void (*triad)(const double* a, const double* b, double* out, std::int64_t n, bool past);

  /// `rounds` times, on each element of a state of kCeilingBytes that stays in registers:
  /// x = x / 2 + 1, as one multiply-add where the target has it
  void (*fma_f32)(float* state, std::int64_t rounds);
  void (*fma_f64)(double* state, std::int64_t rounds);
  /// x = x + number of ones in x
  void (*popcount)(std::uint64_t* state, std::int64_t rounds);
  /// x = x + the sum of four products of a byte of `a` (unsigned, at most 127) and one of `b` (signed, at least -127)
  void (*dot_int8)(std::int32_t* state, std::uint32_t a, std::uint32_t b, std::int64_t rounds);
};

/// What the counts of the loops over memory are multiples of.
inline constexpr std::int64_t kCeilingUnit = 64;

/// The loops of the target that simd/target.h has chosen.
Ceilings ceilings();

}  // namespace penstock::kernel
