// SPDX-License-Identifier: Apache-2.0
// Dot products of vectors in memory. The additions form a tree that depends on the length alone:
//
//   chunks of Product::dot -> pairs, pairs of pairs ... within kDotBlock elements -> the blocks from left to right
//
// so that neither threads nor a vector that comes in pieces of whole blocks change a bit.
#pragma once

#include "penstock/run/gemm.h"

namespace penstock::run {

/// Elements of a vector; stride in bytes.
struct Vector {
  const std::byte* data = nullptr;
  std::int64_t stride = 0;
};

/// Elements of a block of the tree.
inline constexpr std::int64_t kDotBlock = 1 << 20;

/// out = the sum of x[i] y[i] over n elements, or with `add` what is there and then the sum over each block. Of 64 bits
/// and more per element, blocks are of as many elements as well.
void dot(DType dtype, const Vector& x, const Vector& y, std::int64_t n, std::byte* out, bool add, const Crew& crew);

/// out[i] = the dot product of row i of a (m x k) and x; the same bits as dot() of each. Results lie `stride` bytes
/// apart.
void dot_rows(DType dtype, std::int64_t m, std::int64_t k, const Matrix& a, const Vector& x, std::byte* out,
              std::int64_t stride, const Crew& crew);

}  // namespace penstock::run
