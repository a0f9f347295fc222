// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/packed.h"

#include <bit>

#include "penstock/kernel/table.h"

namespace penstock::run {

std::size_t log2_of(std::int64_t size) {
  return static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(size)));
}

const std::byte* packed(const std::byte* x, std::int64_t stride, std::int64_t size, std::int64_t n, std::byte* room) {
  if (side_by_side(x, stride, size)) return x;
  kernel::table().pack[log2_of(size)](x, stride, room, n);
  return room;
}

}  // namespace penstock::run
