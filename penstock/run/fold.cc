// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/fold.h"

#include <algorithm>
#include <cstring>

#include "penstock/base/error.h"

namespace penstock::run {

bool order_free(Reduction reduction, DType accumulator) {
  const bool adds = reduction == Reduction::k_sum || reduction == Reduction::k_prod;
  return reduction != Reduction::k_moments && (!adds || is_integer(accumulator) || accumulator == DType::k_bool);
}

Folded folded_as(Reduction reduction, DType accumulator, const kernel::Table& table) {
  const bool complex_sum = reduction == Reduction::k_sum && kind_of(accumulator) == Kind::kComplex;
  const DType dtype = complex_sum ? real_of(accumulator) : accumulator;
  const kernel::Reducer& reducer = table.reduce[index_of(reduction)][index_of(dtype)];
  PENSTOCK_CHECK(reducer.fold != nullptr, row(reduction).name, " of ", name_of(dtype));
  return {dtype, complex_sum ? 2 : 1, &reducer};
}

std::int64_t NodeStack::entries_for(std::int64_t leaves) {
  std::int64_t entries = 2;
  for (; leaves > 1; leaves = (leaves + 1) / 2) ++entries;
  return entries;
}

void NodeStack::push(const std::byte* state, std::int64_t width, int level, double elements) {
  const std::int64_t field = reducer_->field_bytes;
  for (int f = 0; f < reducer_->fields; ++f) {
    std::memcpy(node(depth_) + f * channels_ * field, state + f * width * field,
                static_cast<std::size_t>(channels_ * field));
  }
  levels_[depth_] = level;
  elements_[depth_] = elements;
  ++depth_;
  while (depth_ >= 2 && levels_[depth_ - 1] == levels_[depth_ - 2]) {
    merge_top();
    ++levels_[depth_ - 1];
  }
}

void NodeStack::merge_top() {
  reducer_->merge(node(depth_ - 2), channels_, 0, node(depth_ - 1), channels_, 0, channels_, elements_[depth_ - 2],
                  elements_[depth_ - 1]);
  elements_[depth_ - 2] += elements_[depth_ - 1];
  --depth_;
}

void NodeStack::append(const NodeStack& next) {
  for (int i = 0; i < next.depth_; ++i) push(next.node(i), channels_, next.levels_[i], next.elements_[i]);
}

void NodeStack::close() {
  while (depth_ >= 2) merge_top();
}

CoreShape core_of_run(Reduction reduction, DType accumulator, std::int64_t n, const kernel::Table& table) {
  const Folded folded = folded_as(reduction, accumulator, table);
  CoreShape shape;
  shape.reducer = folded.reducer;
  shape.lanes = kernel::lanes_of(folded.dtype);
  shape.channels = folded.parts;
  shape.item_bytes = size_of(folded.dtype);
  if (!order_free(reduction, folded.dtype)) {
    shape.leaf = shape.lanes * kernel::kLeafGroups;
    shape.most_nodes = NodeStack::entries_for(n / shape.leaf + 1);
  }
  return shape;
}

Core::Core(const CoreShape& shape, std::byte* storage, std::int64_t start)
    : shape_(shape),
      state_(storage),
      nodes_(*shape.reducer, shape.channels, storage + (shape.state_bytes() + 63) / 64 * 64),
      position_(start * shape.channels),
      opened_(position_) {}

void Core::fold(const void* x, std::int64_t n) {
  const kernel::Reducer& reducer = *shape_.reducer;
  const auto* from = static_cast<const std::byte*>(x);
  const std::int64_t width = shape_.width();
  while (n > 0) {
    if (const std::int64_t taken = fold_leaves(from, n); taken > 0) {
      from += taken * shape_.item_bytes;
      n -= taken;
      continue;
    }
    const std::int64_t in_leaf = position_ - opened_;
    const std::int64_t slot = in_leaf % width;
    const std::int64_t seen = in_leaf / width;
    if (in_leaf == 0) reducer.clear(state_, width, 0, width);
    std::int64_t length = std::min(n, leaf_values() - in_leaf);
    if (slot == 0 && length >= width) {
      const std::int64_t groups = length / width;
      reducer.fold_groups(state_, width, from, width, groups, position_, shape_.channels, seen);
      length = groups * width;
    } else {
      length = std::min(length, width - slot);
      reducer.fold(state_, width, slot, from, length, position_, shape_.channels, seen);
    }
    position_ += length;
    from += length * shape_.item_bytes;
    n -= length;
    if (position_ - opened_ == leaf_values()) finish_leaf(shape_.leaf);
  }
}

void Core::fold_rows(const void* x, std::int64_t stride, std::int64_t rows) {
  // So many streams as the machine reads ahead at once; the state is read and written once for all of them.
  constexpr std::int64_t kRowsAtOnce = 8;
  const auto* from = static_cast<const std::byte*>(x);
  const std::int64_t width = shape_.width();
  while (rows > 0) {
    const std::int64_t in_leaf = position_ - opened_;
    if (in_leaf == 0) shape_.reducer->clear(state_, width, 0, width);
    const std::int64_t some = std::min({rows, kRowsAtOnce, (leaf_values() - in_leaf) / width});
    shape_.reducer->fold_groups(state_, width, from, stride, some, position_, shape_.channels, in_leaf / width);
    position_ += some * width;
    from += some * stride * shape_.item_bytes;
    rows -= some;
    if (position_ - opened_ == leaf_values()) finish_leaf(shape_.leaf);
  }
}

std::int64_t Core::fold_leaves(const std::byte* x, std::int64_t n) {
  const std::int64_t leaf = leaf_values();
  if (shape_.reducer->fold_tree == nullptr || shape_.channels != 1 || shape_.lanes == 1 || position_ != opened_ ||
      n < leaf)
    return 0;
  // The widest subtree that starts at this leaf and is there in full.
  const std::int64_t number = position_ / leaf;
  int level = 0;
  while ((std::int64_t{2} << level) <= kernel::kMostLeaves && number % (std::int64_t{2} << level) == 0 &&
         (leaf * 2 << level) <= n)
    ++level;
  const std::int64_t taken = leaf << level;
  alignas(16) std::byte node[16];
  shape_.reducer->fold_tree(x, std::int64_t{1} << level, node);
  nodes_.push(node, 1, level, static_cast<double>(taken));
  position_ += taken;
  opened_ = position_;
  return taken;
}

void Core::finish_leaf(std::int64_t elements) {
  if (elements % shape_.lanes == 0) {
    shape_.reducer->collapse(state_, shape_.lanes, shape_.channels, static_cast<double>(elements / shape_.lanes));
  } else {
    collapse_ragged(elements);
  }
  nodes_.push(state_, shape_.width(), 0, static_cast<double>(elements));
  opened_ = position_;
}

void Core::collapse_ragged(std::int64_t elements) {
  // The lanes before the ragged end hold one element more than those behind it.
  const std::int64_t lanes = shape_.lanes;
  const std::int64_t channels = shape_.channels;
  double counts[64];
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    counts[lane] = static_cast<double>(elements / lanes + (lane < elements % lanes ? 1 : 0));
  }
  for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half;) {
      // Lanes with as many elements merge in one call.
      const double own = counts[lane];
      const double other = counts[lane + half];
      std::int64_t run = 0;
      for (; lane + run < half && counts[lane + run] == own && counts[lane + run + half] == other; ++run)
        counts[lane + run] += other;
      if (other != 0) {
        shape_.reducer->merge(state_, shape_.width(), lane * channels, state_, shape_.width(), (lane + half) * channels,
                              run * channels, own, other);
      }
      lane += run;
    }
  }
}

void Core::append(const Core& next) {
  if (position_ != opened_) finish_leaf((position_ - opened_) / shape_.channels);
  nodes_.append(next.nodes_);
  std::memcpy(state_, next.state_, static_cast<std::size_t>(shape_.state_bytes()));
  position_ = next.position_;
  opened_ = next.opened_;
}

void Core::close() {
  if (position_ != opened_) finish_leaf((position_ - opened_) / shape_.channels);
  nodes_.close();
}

void Core::close_into(std::byte* out) {
  close();
  std::memcpy(out, nodes_.result(shape_.reducer->result_field),
              static_cast<std::size_t>(shape_.channels * shape_.reducer->field_bytes));
}

}  // namespace penstock::run
