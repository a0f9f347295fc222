// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/at_once.h"

#include <cstring>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/kernel/table.h"
#include "penstock/measure/counters.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/fold.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostState = 4096;  // bytes: two fields of 8 bytes in each of 64 lanes, and some nodes

/// An operand's elements: n of them, or one that stands for all.
struct Source {
  std::shared_ptr<memory::Memory> kept;  // alive while the kernel reads
  graph::Scalar value;                   // of a constant, whose node another thread may change
  const std::byte* data = nullptr;
  DType dtype = DType::k_float32;
  DType wanted = DType::k_float32;  // what the kernel reads
  bool single = false;
};

/// Whether the elements of `operand` lie as a kernel reads them for a result of `shape`: `source` is where.
bool find(const graph::Node& operand, const Dims& shape, Source& source) {
  const bool converted = operand.as<graph::CastTo>() != nullptr;
  const graph::Node& node = converted ? *operand.inputs[0] : operand;
  source.dtype = node.dtype;
  source.wanted = operand.dtype;
  if (const auto* constant = node.as<graph::Constant>()) {
    source.value = constant->value;
    source.data = source.value.bytes;
    source.single = true;
    return true;
  }
  const auto* in = node.as<graph::InMemory>();
  if (in == nullptr) return false;
  const std::int64_t size = size_of(node.dtype);
  source.kept = in->memory;
  source.data = in->memory->data() + in->layout.offset;
  source.single = node.size() == 1;
  const bool flat = node.shape == shape && is_contiguous(in->layout, size);
  return (source.single || flat) && is_aligned(reinterpret_cast<std::uintptr_t>(source.data), size);
}

/// `n` elements of the wanted dtype: the operand's own, or `scratch`.
const void* prepared(const Source& source, std::int64_t n, std::byte* scratch, const kernel::Table& table) {
  const std::byte* data = source.data;
  alignas(16) std::byte one[16];
  if (source.dtype != source.wanted) {
    std::byte* to = source.single ? one : scratch;
    table.cast[index_of(source.dtype)][index_of(source.wanted)](data, to, source.single ? 1 : n);
    data = to;
  }
  if (!source.single) return data;
  table.pack[log2_size(source.wanted)](data, 0, scratch, n);
  return scratch;
}

void call(const graph::Elementwise& node, const void* const* inputs, std::byte* out, std::int64_t n,
          const kernel::Table& table) {
  table.elementwise[index_of(node.op)][index_of(node.compute)](inputs, out, n);
}

/// The tree of run/fold.h over one run of elements.
void call(const graph::Reduce& node, DType accumulator, const void* x, std::byte* out, std::int64_t n,
          const kernel::Table& table) {
  const Folded folded = folded_as(node.reduction, accumulator, table);
  CoreShape shape;
  shape.reducer = folded.reducer;
  shape.lanes = kernel::lanes_of(folded.dtype);
  shape.channels = folded.parts;
  shape.item_bytes = size_of(folded.dtype);
  if (!order_free(node.reduction, folded.dtype)) {
    shape.leaf = shape.lanes * kernel::kLeafGroups;
    shape.most_nodes = NodeStack::entries_for(kMostAtOnce / shape.leaf + 1);
  }
  alignas(64) std::byte storage[kMostState];
  PENSTOCK_CHECK(shape.bytes() <= kMostState);
  Core core(shape, storage);
  core.fold(x, n * folded.parts);
  core.close();
  std::memcpy(out, core.nodes().result(folded.reducer->result_field),
              static_cast<std::size_t>(folded.parts * folded.reducer->field_bytes));
}

/// Whether this is a node that one call computes, and the shape that its operands have or stand for.
const Dims* shape_at_once(const graph::Node& node) {
  if (node.as<graph::Elementwise>()) return &node.shape;
  return node.as<graph::Reduce>() && node.size() == 1 ? &node.inputs[0]->shape : nullptr;
}

}  // namespace

bool compute_at_once(graph::Node& node) {
  const Dims* shape = shape_at_once(node);
  const std::int64_t n = shape != nullptr ? count(*shape) : 0;
  if (n == 0 || node.bytes() > kMostAtOnce) return false;
  Source sources[kMaxArity];
  {
    const std::lock_guard lock(graph::graph_mutex());
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (!find(*node.inputs[k], *shape, sources[k]) || n * size_of(sources[k].wanted) > kMostAtOnce) return false;
    }
  }
  const kernel::Table& table = kernel::table();
  memory::Buffer result = memory::Buffer::allocate(node.bytes(), "the result");
  alignas(64) std::byte scratch[kMaxArity][kMostAtOnce];
  const void* inputs[kMaxArity] = {};
  for (std::size_t k = 0; k < node.inputs.size(); ++k) inputs[k] = prepared(sources[k], n, scratch[k], table);
  if (const auto* elementwise = node.as<graph::Elementwise>())
    call(*elementwise, inputs, result.data(), n, table);
  else
    call(*node.as<graph::Reduce>(), node.inputs[0]->dtype, inputs[0], result.data(), n, table);
  measure::add(measure::Counter::k_evaluations, 1);

  std::vector<graph::NodeRef> dropped;  // destroyed after the lock is gone
  const std::lock_guard lock(graph::graph_mutex());
  node.content = graph::InMemory{memory::share(std::move(result)), contiguous(node.shape, size_of(node.dtype))};
  node.depth = 0;
  dropped.swap(node.inputs);
  return true;
}

}  // namespace penstock::run
