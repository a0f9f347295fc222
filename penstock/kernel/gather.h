// SPDX-License-Identifier: Apache-2.0
// Elements chosen by indices. Portable code for all targets: what counts is how soon the next element is asked for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock::kernel {

/// Where n blocks of so many bytes each lie that indices name: block i at data + i * stride bytes, i in [begin, end).
/// Other indices are passed over.
struct Indexed {
  std::int64_t stride = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t bytes = 0;  // of a block
};

/// The block at out + j * out_stride = block index[j] of `in`, for j in [0, n).
void gather(const void* in, const Indexed& blocks, const std::int64_t* index, std::int64_t n, void* out,
            std::int64_t out_stride);

/// Block index[j] of `out` = the block at in + j * in_stride, for j in [0, n) in order: the last of equals stays.
void scatter(const void* in, std::int64_t in_stride, const std::int64_t* index, std::int64_t n, const Indexed& blocks,
             void* out);

}  // namespace penstock::kernel
