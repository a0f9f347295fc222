// SPDX-License-Identifier: Apache-2.0
// What operations on small arrays have in common: where elements lie, and how a kernel gets to read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

#include "penstock/graph/node.h"
#include "penstock/kernel/table.h"
#include "penstock/memory/buffer.h"
#include "penstock/op/ops.h"
#include "penstock/run/at_once.h"
#include "penstock/run/packed.h"

namespace penstock::run {

/// An operand's elements: as many as the result has, or one that stands for all.
struct SmallSource {
  const std::byte* data = nullptr;
  DType dtype = DType::k_float32;
  DType wanted = DType::k_float32;  // what the kernel reads
  bool single = false;
  std::int64_t step = 0;              // bytes from element to element
  std::unique_ptr<std::byte[]> room;  // of elements that had to be copied to be side by side

  std::int64_t size() const { return size_of(dtype); }
  bool packs() const { return !single && step != size(); }
  bool converts() const { return dtype != wanted; }
  /// Whether a kernel reads n elements where they lie.
  bool borrows(std::int64_t n) const { return !packs() && !converts() && (!single || n == 1); }
};

inline bool is_small(std::int64_t n, DType dtype) { return n > 0 && n <= kMostAtOnce / size_of(dtype); }

/// As find_elements(), of elements that are neither side by side nor a whole vector.
bool find_apart(const graph::InMemory& in, const Dims& shape, SmallSource& source);

/// Finds the node's elements in a result of `shape`: where they lie when one step leads from each to the next, or there
/// is a single one; else copied to its room. Not when they are too many to be packed, or lie in another order.
inline bool find_elements(const graph::Node& node, const Dims& shape, SmallSource& source) {
  const graph::InMemory* in = node.in_memory();
  if (in == nullptr) return false;
  source.dtype = node.dtype;
  source.data = in->memory->data() + in->layout.offset;
  source.single = node.size() == 1;
  source.step = source.size();
  if (!is_aligned(reinterpret_cast<std::uintptr_t>(source.data), source.size())) return false;
  if (source.single) return true;
  if (node.shape == shape) {
    if (shape.size() == 1) {
      source.step = in->layout.strides[0];
      return !source.packs() || is_small(node.size(), source.dtype);
    }
    if (is_contiguous(in->layout, source.size())) return true;
  }
  return find_apart(*in, shape, source);
}

/// As prepare_block(), of elements that are converted or one that stands for all.
void convert_block(const SmallSource& source, std::int64_t first, std::int64_t n, std::byte* scratch,
                   const kernel::Table& table);

/// Some elements of the wanted dtype from `first` on, in `scratch`; no more than kPackedBytes of either dtype.
inline void prepare_block(const SmallSource& source, std::int64_t first, std::int64_t n, std::byte* scratch,
                          const kernel::Table& table) {
  if (source.single || source.converts()) return convert_block(source, first, n, scratch, table);
  table.pack[log2_size(source.dtype)](source.data + first * source.step, source.step, scratch, n);
}

/// Calls f(inputs, first, n) for the elements of all operands, as the kernel reads them: at once where they lie so,
/// block by block where some don't.
template <class F>
void for_blocks(std::span<const SmallSource> sources, std::int64_t n, const kernel::Table& table, const F& f) {
  alignas(64) std::byte scratch[kMaxArity][kPackedBytes];
  const void* inputs[kMaxArity] = {};
  bool all = true;
  std::int64_t widest = 1;
  for (std::size_t k = 0; k < sources.size(); ++k) {
    inputs[k] = sources[k].data;
    all = all && sources[k].borrows(n);
    widest = std::max({widest, sources[k].size(), size_of(sources[k].wanted)});
  }
  if (all) return f(inputs, 0, n);
  const std::int64_t block = kPackedBytes / widest;
  for (std::int64_t first = 0; first < n; first += block) {
    const std::int64_t some = std::min(block, n - first);
    for (std::size_t k = 0; k < sources.size(); ++k) {
      const bool ready = sources[k].borrows(n);
      inputs[k] = ready ? sources[k].data + first * sources[k].step : scratch[k];
      if (!ready && !(sources[k].single && first > 0)) prepare_block(sources[k], first, some, scratch[k], table);
    }
    f(inputs, first, some);
  }
}

/// Counts what is read of the operands.
void count_bytes(std::span<const SmallSource> sources, std::int64_t n);

inline memory::Buffer room_for(std::int64_t bytes) { return memory::Buffer::allocate(bytes, "the result"); }
graph::NodeRef result_of(memory::Buffer buffer, const Dims& shape, DType dtype);

}  // namespace penstock::run
