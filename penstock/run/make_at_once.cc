// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/make_at_once.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "penstock/run/small.h"

namespace penstock::run {
namespace {

/// Runs of `length` elements, each `stride` elements after the one before it, as one array after the other fills them.
struct Rows {
  std::byte* out;
  std::int64_t size;
  std::int64_t length;
  std::int64_t stride;

  /// Elements [first, first + n) of the array.
  void copy(const std::byte* from, std::int64_t first, std::int64_t n) const {
    while (n > 0) {
      const std::int64_t in_row = first % length;
      const std::int64_t some = std::min(n, length - in_row);
      std::memcpy(out + (first / length * stride + in_row) * size, from, static_cast<std::size_t>(some * size));
      from += some * size;
      first += some;
      n -= some;
    }
  }
};

}  // namespace

graph::NodeRef filled_at_once(const graph::Scalar& value, const Dims& shape) {
  const std::int64_t n = count(shape);
  if (!is_small(n, value.dtype)) return nullptr;
  memory::Buffer result = room_for(n * size_of(value.dtype));
  kernel::table().pack[log2_size(value.dtype)](value.bytes, 0, result.data(), n);
  return result_of(std::move(result), shape, value.dtype);
}

graph::NodeRef counted_at_once(const graph::Scalar& start, const graph::Scalar& delta, std::int64_t n) {
  const auto iota = kernel::table().iota[index_of(start.dtype)];
  if (iota == nullptr || !is_small(n, start.dtype)) return nullptr;
  memory::Buffer result = room_for(n * size_of(start.dtype));
  iota(start.bytes, delta.bytes, 0, 1, result.data(), n);
  return result_of(std::move(result), {n}, start.dtype);
}

graph::NodeRef joined_at_once(std::span<const graph::Node* const> parts, int axis, const Dims& shape, DType dtype) {
  if (!is_small(count(shape), dtype)) return nullptr;
  std::int64_t inner = 1;
  for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
  const std::int64_t row = shape[static_cast<std::size_t>(axis)] * inner;
  const std::int64_t size = size_of(dtype);
  memory::Buffer result = room_for(count(shape) * size);
  std::int64_t before = 0;
  for (const graph::Node* part : parts) {
    SmallSource source;
    source.wanted = dtype;
    const std::int64_t n = part->size();
    if (n == 0) continue;
    if (!find_elements(*part, part->shape, source)) return nullptr;
    const std::int64_t length = part->shape[static_cast<std::size_t>(axis)] * inner;
    const Rows rows{result.data() + before * size, size, length, row};
    for_blocks({&source, 1}, n, kernel::table(), [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
      rows.copy(static_cast<const std::byte*>(inputs[0]), first, some);
    });
    count_bytes({&source, 1}, n);
    before += length;
  }
  return result_of(std::move(result), shape, dtype);
}

}  // namespace penstock::run
