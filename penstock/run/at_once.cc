// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/at_once.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/kernel/table.h"
#include "penstock/measure/counters.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/fold.h"
#include "penstock/run/packed.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostState = 4096;  // bytes: two fields of 8 bytes in each of 64 lanes, and some nodes
constexpr std::int64_t kBlock = 512;       // elements that are packed and converted before they are computed with
constexpr std::int64_t kBlockBytes = kBlock * 16;

/// An operand's elements: as many as the result has, or one that stands for all.
struct Source {
  const std::byte* data = nullptr;
  DType dtype = DType::k_float32;
  DType wanted = DType::k_float32;  // what the kernel reads
  bool single = false;
  std::int64_t step = 0;              // bytes from element to element
  std::unique_ptr<std::byte[]> room;  // of elements that had to be copied to be side by side

  std::int64_t size() const { return size_of(dtype); }
  bool packs() const { return !single && step != size(); }
  bool converts() const { return dtype != wanted; }
};

bool is_small(std::int64_t n, DType dtype) { return n > 0 && n <= kMostAtOnce / size_of(dtype); }

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

/// Finds the node's elements in a result of `shape`: where they lie when one step leads from each to the next, or there
/// is a single one; else copied to its room. Not when they are too many to be packed, or
/// lie in another order.
bool find(const graph::Node& node, const Dims& shape, Source& source) {
  const graph::InMemory* in = node.in_memory();
  if (in == nullptr) return false;
  source.dtype = node.dtype;
  source.data = in->memory->data() + in->layout.offset;
  source.single = node.size() == 1;
  source.step = source.size();
  if (!is_aligned(reinterpret_cast<std::uintptr_t>(source.data), source.size())) return false;
  if (source.single) return true;
  const bool whole = node.shape == shape;
  if (whole && is_contiguous(in->layout, source.size())) return true;
  if (!is_small(count(shape), source.dtype)) return false;
  if (whole && shape.size() == 1) {
    source.step = in->layout.strides[0];
    return true;
  }
  const Layout walk = coalesce(whole ? in->layout : view_broadcast(in->layout, shape));
  if (!is_in_order(in->layout)) return false;
  if (walk.shape.size() == 1) {
    source.step = walk.strides[0];
    return true;
  }
  source.room = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(walk.size() * source.size()));
  lay_out(walk, source.data, source.size(), source.room.get());
  source.data = source.room.get();
  return true;
}

/// Whether the kernel reads the operand's own elements.
bool borrows(const Source& source, std::int64_t n) {
  return !source.packs() && !source.converts() && (!source.single || n == 1);
}

/// At most kBlock elements of the wanted dtype from `first` on, in `scratch`.
void prepare(const Source& source, std::int64_t first, std::int64_t n, std::byte* scratch, const kernel::Table& table) {
  const auto cast = table.cast[index_of(source.dtype)][index_of(source.wanted)];
  if (source.single) {
    alignas(16) std::byte one[16];
    if (source.converts()) cast(source.data, one, 1);
    table.pack[log2_size(source.wanted)](source.converts() ? one : source.data, 0, scratch, n);
    return;
  }
  const std::byte* from = source.data + first * source.step;
  alignas(64) std::byte packed[kBlockBytes];
  std::byte* beside = source.converts() ? packed : scratch;
  if (source.packs()) table.pack[log2_size(source.dtype)](from, source.step, beside, n);
  if (source.converts()) cast(source.packs() ? beside : from, scratch, n);
}

/// Calls f(inputs, first, n) for the elements of all operands, as the kernel reads them: at once where they lie so,
/// block by block where some don't.
template <class F>
void for_blocks(std::span<const Source> sources, std::int64_t n, const kernel::Table& table, const F& f) {
  alignas(64) std::byte scratch[kMaxArity][kBlockBytes];
  const void* inputs[kMaxArity] = {};
  bool all = true;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    inputs[k] = sources[k].data;
    all = all && borrows(sources[k], n);
  }
  if (all) return f(inputs, 0, n);
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t some = std::min(kBlock, n - first);
    for (std::size_t k = 0; k < sources.size(); ++k) {
      const bool ready = borrows(sources[k], n);
      inputs[k] = ready ? sources[k].data + first * sources[k].step : scratch[k];
      if (!ready && !(sources[k].single && first > 0)) prepare(sources[k], first, some, scratch[k], table);
    }
    f(inputs, first, some);
  }
}

/// Counts what is read of the operands.
void count_bytes(std::span<const Source> sources, std::int64_t n) {
  std::int64_t packed = 0;
  std::int64_t borrowed = 0;
  for (const Source& each : sources)
    (each.packs() || each.room != nullptr ? packed : borrowed) += each.single ? 0 : n * each.size();
  if (packed > 0) measure::add(measure::Counter::k_bytes_packed, packed);
  if (borrowed > 0) measure::add(measure::Counter::k_bytes_borrowed, borrowed);
}

memory::Buffer room_for(std::int64_t bytes) { return memory::Buffer::allocate(bytes, "the result"); }

graph::NodeRef result_of(memory::Buffer buffer, const Dims& shape, DType dtype) {
  measure::add(measure::Counter::k_evaluations, 1);
  return graph::make_memory(dtype, memory::share(std::move(buffer)), contiguous(shape, size_of(dtype)));
}

}  // namespace

graph::NodeRef elementwise_at_once(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> operands) {
  const Dims none;
  Dims wider;
  const Dims* widest = &none;
  for (const SmallOperand& each : operands) {
    if (each.node == nullptr || each.node->shape == *widest) continue;
    if (widest == &none) {
      widest = &each.node->shape;
    } else {
      wider = broadcast(*widest, each.node->shape);
      widest = &wider;
    }
  }
  const Dims& shape = *widest;
  const std::int64_t n = count(shape);
  if (!is_small(n, types.compute) || !is_small(n, types.result)) return nullptr;
  Source sources[kMaxArity];
  for (std::size_t k = 0; k < operands.size(); ++k) {
    Source& source = sources[k];
    source.wanted = types.operand(op, k);
    if (operands[k].node != nullptr) {
      if (!find(*operands[k].node, shape, source)) return nullptr;
    } else {
      source.data = operands[k].value.bytes;
      source.dtype = operands[k].value.dtype;
      source.single = true;
    }
  }
  const kernel::Table& table = kernel::table();
  const std::int64_t size = size_of(types.result);
  memory::Buffer result = room_for(n * size);
  const std::span<const Source> given(sources, operands.size());
  count_bytes(given, n);
  const auto compute = table.elementwise[index_of(op)][index_of(types.compute)];
  for_blocks(given, n, table, [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
    compute(inputs, result.data() + first * size, some);
  });
  return result_of(std::move(result), shape, types.result);
}

graph::Scalar elementwise_of_values(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> values) {
  const kernel::Table& table = kernel::table();
  graph::Scalar converted[kMaxArity];
  const void* inputs[kMaxArity] = {};
  for (std::size_t k = 0; k < values.size(); ++k) {
    const graph::Scalar& value = values[k].value;
    const DType wanted = types.operand(op, k);
    if (value.dtype != wanted) converted[k] = cast_of_value(value, wanted);
    inputs[k] = value.dtype == wanted ? value.bytes : converted[k].bytes;
  }
  graph::Scalar result;
  result.dtype = types.result;
  table.elementwise[index_of(op)][index_of(types.compute)](inputs, result.bytes, 1);
  measure::add(measure::Counter::k_evaluations, 1);
  return result;
}

graph::NodeRef cast_at_once(const graph::Node& in, DType dtype) {
  const std::int64_t n = in.size();
  Source source;
  source.wanted = in.dtype;
  if (!is_small(n, in.dtype) || !is_small(n, dtype) || !find(in, in.shape, source)) return nullptr;
  const kernel::Table& table = kernel::table();
  const std::int64_t size = size_of(dtype);
  memory::Buffer result = room_for(n * size);
  count_bytes({&source, 1}, n);
  const auto cast = table.cast[index_of(in.dtype)][index_of(dtype)];
  for_blocks({&source, 1}, n, table, [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
    cast(inputs[0], result.data() + first * size, some);
  });
  return result_of(std::move(result), in.shape, dtype);
}

graph::Scalar cast_of_value(const graph::Scalar& value, DType dtype) {
  graph::Scalar result;
  result.dtype = dtype;
  kernel::table().cast[index_of(value.dtype)][index_of(dtype)](value.bytes, result.bytes, 1);
  return result;
}

graph::NodeRef reduce_at_once(Reduction reduction, const graph::Node& in, const Dims& shape) {
  const std::int64_t n = in.size();
  Source source;
  source.wanted = accumulator_of(reduction, in.dtype);
  if (!is_small(n, source.wanted) || !is_small(n, in.dtype) || count(shape) != 1) return nullptr;
  if (!find(in, in.shape, source)) return nullptr;
  const kernel::Table& table = kernel::table();
  const DType dtype = reduced_dtype(reduction, in.dtype);
  memory::Buffer result = room_for(size_of(dtype));
  count_bytes({&source, 1}, n);
  // The tree of run/fold.h over one run of elements.
  const CoreShape core_shape = core_of_run(reduction, source.wanted, kMostAtOnce, table);
  alignas(64) std::byte storage[kMostState];
  PENSTOCK_CHECK(core_shape.bytes() <= kMostState);
  Core core(core_shape, storage);
  for_blocks({&source, 1}, n, table, [&](const void* const* inputs, std::int64_t, std::int64_t some) {
    core.fold(inputs[0], some * core_shape.channels);
  });
  core.close();
  std::memcpy(result.data(), core.nodes().result(core_shape.reducer->result_field),
              static_cast<std::size_t>(core_shape.channels * core_shape.reducer->field_bytes));
  return result_of(std::move(result), shape, dtype);
}

}  // namespace penstock::run
