// SPDX-License-Identifier: Apache-2.0
// The reduction tree: fixed by element index, so that threads, tiles and CPU targets can't change a bit of the result.
//
// A run of elements x[0], x[1], ... of one output (a core) is cut into leaves of constant length. Within a leaf,
// element r goes to virtual lane r % lanes; the lanes are merged by halves, the leaves as a binary tree by leaf number:
//
//   leaf 0   leaf 1   leaf 2   leaf 3   leaf 4        an odd node at the end of a level moves up as it is
//      \      /          \      /          |
//        node              node          node
//            \            /                |
//                 node                   node ...
//
// `channels` neighbouring elements belong to as many outputs, which are reduced side by side.
#pragma once

#include <cstdint>

#include "penstock/kernel/table.h"
#include "penstock/memory/buffer.h"

namespace penstock::run {

/// Leaves so long that there is only one: for reductions whose order can't matter (integers, min, max).
inline constexpr std::int64_t kOneLeaf = std::int64_t{1} << 62;

/// Whether any order of the elements gives the same bits.
bool order_free(Reduction reduction, DType accumulator);

/// What the kernels fold for a reduction over an accumulator dtype: complex sums are those of their halves.
struct Folded {
  DType dtype = DType::k_float32;
  std::int64_t parts = 1;  // values of it that an element consists of
  const kernel::Reducer* reducer = nullptr;
};
Folded folded_as(Reduction reduction, DType accumulator, const kernel::Table& table);

/// Nodes of the tree that wait for their right-hand partner: at most one a level, widest first. No call of this or the
/// next class allocates or throws, so that all may run under memory::guarded.
class NodeStack {
 public:
  NodeStack() = default;
  /// `storage` holds bytes(reducer, channels, most) for at most `most` waiting nodes.
  NodeStack(const kernel::Reducer& reducer, std::int64_t channels, std::byte* storage)
      : reducer_(&reducer), channels_(channels), storage_(storage) {}

  static std::int64_t bytes(const kernel::Reducer& reducer, std::int64_t channels, std::int64_t most) {
    return most * channels * reducer.fields * reducer.field_bytes;
  }
  /// Entries needed for `leaves` pushed in a row, the one being pushed included.
  static std::int64_t entries_for(std::int64_t leaves);

  /// The first `channels` slots of a state of `width` slots as the next node, `elements` elements of each channel
  /// behind it. Nodes of one level merge.
  void push(const std::byte* state, std::int64_t width, int level, double elements);
  /// All nodes of a stack that comes right after this one.
  void append(const NodeStack& next);
  /// Merges what waits, narrowest first, into one node: result().
  void close();
  void clear() { depth_ = 0; }

  bool empty() const { return depth_ == 0; }
  /// Elements of each channel behind the closed result.
  double elements() const { return elements_[0]; }
  /// Field `field` of the closed result: `channels` values.
  const std::byte* result(int field) const { return storage_ + field * channels_ * reducer_->field_bytes; }
  const std::byte* result() const { return storage_; }

 private:
  std::byte* node(int i) const { return storage_ + i * channels_ * reducer_->fields * reducer_->field_bytes; }
  void merge_top();

  const kernel::Reducer* reducer_ = nullptr;
  std::int64_t channels_ = 1;
  std::byte* storage_ = nullptr;
  int depth_ = 0;
  int levels_[64];
  double elements_[64];
};

/// How a core of one reduction is laid out.
struct CoreShape {
  const kernel::Reducer* reducer = nullptr;
  std::int64_t lanes = 1;
  std::int64_t channels = 1;
  std::int64_t leaf = kOneLeaf;  // elements of one channel in a leaf: a power of two
  std::int64_t item_bytes = 4;   // of an element as it is folded
  std::int64_t most_nodes = 1;

  std::int64_t width() const { return lanes * channels; }
  std::int64_t state_bytes() const { return width() * reducer->fields * reducer->field_bytes; }
  /// Bytes of one Core's storage, a multiple of 64.
  std::int64_t bytes() const {
    return (state_bytes() + NodeStack::bytes(*reducer, channels, most_nodes) + 127) / 64 * 64;
  }
};

/// The core of one run of n elements that are reduced to one value.
CoreShape core_of_run(Reduction reduction, DType accumulator, std::int64_t n, const kernel::Table& table);

/// One run being reduced.
class Core {
 public:
  /// `storage` holds shape.bytes(). `start`: the element that comes first, a multiple of the leaf (any for kOneLeaf).
  Core(const CoreShape& shape, std::byte* storage, std::int64_t start = 0);

  /// Elements of each channel folded so far, those before `start` included.
  std::int64_t position() const { return position_ / shape_.channels; }

  /// Folds the next n values: the channels of an element side by side, element after element.
  void fold(const void* x, std::int64_t n);

  /// Folds `rows` elements of all channels, of a single lane, the values of a row side by side and the first of the
  /// next one `stride` values behind that of this one.
  void fold_rows(const void* x, std::int64_t stride, std::int64_t rows);

  /// Takes over a core that started where this one stands.
  void append(const Core& next);

  /// Merges all that is left; nodes().result() holds the values then.
  void close();
  /// The same, and writes the values that the reduction asks for, one for each channel, to `out`.
  void close_into(std::byte* out);
  const NodeStack& nodes() const { return nodes_; }

 private:
  std::int64_t leaf_values() const { return shape_.leaf == kOneLeaf ? kOneLeaf : shape_.leaf * shape_.channels; }
  /// Whole leaves at once, where the kernel can; returns the values folded, 0 when the slow way is due.
  std::int64_t fold_leaves(const std::byte* x, std::int64_t n);
  void finish_leaf(std::int64_t elements);
  void collapse_ragged(std::int64_t elements);

  CoreShape shape_;
  std::byte* state_;
  NodeStack nodes_;
  std::int64_t position_;  // values: elements times channels
  std::int64_t opened_;    // where the open leaf began
};

}  // namespace penstock::run
