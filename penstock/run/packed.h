// SPDX-License-Identifier: Apache-2.0
// Elements side by side, for loops that read nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "penstock/type/dtype.h"

namespace penstock::run {

/// Of an operand that is packed or converted at once: what is read, made and calculated stays in L1.
inline constexpr std::int64_t kPackedBytes = 4096;

/// Where Table::pack and its like have the loop for elements of `size` bytes.
std::size_t log2_of(std::int64_t size);
inline std::size_t log2_size(DType dtype) { return log2_of(size_of(dtype)); }

/// Whether kernels may read elements of `size` bytes at an address.
inline bool is_aligned(std::uintptr_t address, std::int64_t size) {
  return address % static_cast<std::uintptr_t>(std::min<std::int64_t>(size, 8)) == 0;
}

/// Whether elements `stride` bytes apart can be read as an array of them.
inline bool side_by_side(const std::byte* x, std::int64_t stride, std::int64_t size) {
  return stride == size && is_aligned(reinterpret_cast<std::uintptr_t>(x), size);
}

/// The n elements side by side: where they are, or packed into the room.
const std::byte* packed(const std::byte* x, std::int64_t stride, std::int64_t size, std::int64_t n, std::byte* room);

}  // namespace penstock::run
