// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/small.h"

#include <cstdlib>
#include <limits>
#include <utility>

#include "penstock/measure/counters.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

/// The elements of a layout, which begins at `from`, side by side in C order.
void lay_out(const Layout& walk, const std::byte* from, std::int64_t size, std::byte* to) {
  const auto pack = kernel::table().pack[log2_of(size)];
  const std::size_t last = walk.shape.size() - 1;
  const std::int64_t row = walk.shape[last];
  Dims at(last);
  for (std::int64_t left = walk.size(); left > 0; left -= row) {
    pack(from, walk.strides[last], to, row);
    to += row * size;
    for (std::size_t d = last; d-- > 0;) {
      from += walk.strides[d];
      if (++at[d] < walk.shape[d]) break;
      from -= at[d] * walk.strides[d];
      at[d] = 0;
    }
  }
}

/// Whether no axis is turned: a plan would turn the result too.
bool is_in_order(const Layout& layout) {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    if (layout.shape[d] == 1) continue;
    if (std::abs(layout.strides[d]) > before) return false;
    before = std::abs(layout.strides[d]);
  }
  return true;
}

}  // namespace

bool find_apart(const graph::InMemory& in, const Dims& shape, SmallSource& source) {
  if (!is_small(count(shape), source.dtype)) return false;
  if (!is_in_order(in.layout)) return false;
  const Layout walk = coalesce(in.layout.shape == shape ? in.layout : view_broadcast(in.layout, shape));
  if (walk.shape.size() == 1) {
    source.step = walk.strides[0];
    return true;
  }
  source.room = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(walk.size() * source.size()));
  lay_out(walk, source.data, source.size(), source.room.get());
  source.data = source.room.get();
  return true;
}

void convert_block(const SmallSource& source, std::int64_t first, std::int64_t n, std::byte* scratch,
                   const kernel::Table& table) {
  const auto cast = table.cast[index_of(source.dtype)][index_of(source.wanted)];
  if (source.single) {
    alignas(16) std::byte one[16];
    if (source.converts()) cast(source.data, one, 1);
    table.pack[log2_size(source.wanted)](source.converts() ? one : source.data, 0, scratch, n);
    return;
  }
  const std::byte* from = source.data + first * source.step;
  alignas(64) std::byte packed[kPackedBytes];
  if (source.packs()) table.pack[log2_size(source.dtype)](from, source.step, packed, n);
  cast(source.packs() ? packed : from, scratch, n);
}

void count_bytes(std::span<const SmallSource> sources, std::int64_t n) {
  std::int64_t packed = 0;
  std::int64_t borrowed = 0;
  for (const SmallSource& each : sources)
    (each.packs() || each.room != nullptr ? packed : borrowed) += each.single ? 0 : n * each.size();
  if (packed > 0) measure::add(measure::Counter::k_bytes_packed, packed);
  if (borrowed > 0) measure::add(measure::Counter::k_bytes_borrowed, borrowed);
}

graph::NodeRef result_of(memory::Buffer buffer, const Dims& shape, DType dtype) {
  measure::add(measure::Counter::k_evaluations, 1);
  return graph::make_memory(dtype, memory::share(std::move(buffer)), contiguous(shape, size_of(dtype)));
}

}  // namespace penstock::run
