// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/calculation.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "penstock/kernel/elsewhere.h"
#include "penstock/run/packed.h"
#include "penstock/run/tile.h"

namespace penstock::run {
namespace {

constexpr std::size_t kMostSteps = 160;  // bounds the recursion
constexpr std::int64_t kLeastRow = 128;  // elements: a call of the loop takes as long as some tens
constexpr int kMostPacked = 4;           // operands

/// Steps count down while leaves are still being found; no input is -1 in both numberings.
constexpr int step_number(std::size_t step) { return -2 - static_cast<int>(step); }

bool all_of_one_width(const kernel::Recipe& recipe) {
  std::int64_t width = 0;
  for (const auto& step : recipe.steps) {
    if (!kernel::is_generated(step.op, step.dtype)) return false;
    const std::int64_t lane = kernel::lane_bytes(step.dtype);
    if (lane != 0 && width != 0 && lane != width) return false;
    width = std::max(width, lane);
  }
  return width != 0;
}

}  // namespace

Calculation::Found Calculation::read(const graph::Node& root) {
  shape_ = &root.shape;
  dtype_ = root.dtype;
  int value = 0;
  const bool step = root.as<graph::Elementwise>() != nullptr;
  if (!(step ? add_step(root, value) : add_leaf(root, value))) return needed_ ? Found::kNeeds : Found::kOther;
  const int leaves = static_cast<int>(leaves_.size());
  for (auto& each : recipe_.steps) {
    for (int& input : each.inputs) input = input <= -2 ? leaves + (-2 - input) : input;
  }
  if (!arrange_rows()) return Found::kOther;
  const bool worth = leaves_[0].element != 0 && (one_row_ || !leaves_[0].ready());
  if (!step) return worth ? Found::kReady : Found::kOther;
  recipe_.outputs = {leaves + static_cast<int>(recipe_.steps.size()) - 1};
  const bool fits = is_single_kernel() || (all_of_one_width(recipe_) && kernel::fits_registers(recipe_));
  return fits ? Found::kReady : Found::kOther;
}

bool Calculation::add(const graph::NodeRef& node, int& value) {
  const auto known =
      std::find_if(values_.begin(), values_.end(), [&](const auto& each) { return each.first == node.get(); });
  if (known != values_.end()) {
    value = known->second;
    return true;
  }
  if (node->as<graph::Reduce>() && node->size() == 1) {
    needed_ = node;
    return false;
  }
  return node->as<graph::Elementwise>() ? add_step(*node, value) : add_leaf(*node, value);
}

bool Calculation::add_step(const graph::Node& node, int& value) {
  const auto& elementwise = *node.as<graph::Elementwise>();
  if (recipe_.steps.size() == kMostSteps || node.shape != *shape_) return false;
  kernel::Recipe::Step step{elementwise.op, elementwise.compute, {-1, -1, -1}};
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (!add(node.inputs[k], step.inputs[k])) return false;
  }
  value = step_number(recipe_.steps.size());
  recipe_.steps.push_back(step);
  values_.emplace_back(&node, value);
  return recipe_.steps.size() <= kMostSteps;
}

bool Calculation::add_leaf(const graph::Node& node, int& value) {
  if (leaves_.size() == kernel::kMostStreams - 1) return false;
  Leaf leaf;
  leaf.from = leaf.to = node.dtype;
  if (const auto* constant = node.as<graph::Constant>()) {
    leaf.value = constant->value;
  } else {
    const graph::Node& stored = node.as<graph::CastTo>() ? *node.inputs[0] : node;
    const std::optional<graph::InMemory> found = graph::resident(stored);
    // What another evaluation writes over is waited for by a plan.
    if (!found || found->memory->rewritten != 0) return false;
    leaf.from = stored.dtype;
    leaf.data = found->memory->data() + found->layout.offset;
    if (!is_aligned(reinterpret_cast<std::uintptr_t>(leaf.data), leaf.size())) return false;
    leaf.layout = node.shape == *shape_ ? found->layout : view_broadcast(found->layout, *shape_);
    leaf.kept = found->memory;
  }
  value = static_cast<int>(leaves_.size());
  recipe_.inputs.push_back({node.dtype, false});
  leaves_.push_back(std::move(leaf));
  values_.emplace_back(&node, value);
  return true;
}

/// Whether one stride walks the axis and the next in every operand, as it does in the result.
bool Calculation::joins(std::size_t axis) const {
  return std::all_of(leaves_.begin(), leaves_.end(), [&](const Leaf& leaf) {
    const Layout& at = leaf.layout;
    return leaf.data == nullptr || at.strides[axis] == at.strides[axis + 1] * at.shape[axis + 1];
  });
}

/// Axes joined as far as they go must leave two at most, the rows and their elements.
bool Calculation::arrange_rows() {
  Dims shape = *shape_;
  const auto drop = [&](std::size_t axis, std::size_t joined_into) {
    if (axis != joined_into) shape[joined_into] *= shape[axis];
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
    for (Leaf& leaf : leaves_) {
      if (leaf.data == nullptr) continue;
      leaf.layout.shape = shape;
      leaf.layout.strides.erase(leaf.layout.strides.begin() + static_cast<std::ptrdiff_t>(axis));
    }
  };
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] == 1) drop(axis, axis);
  }
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    if (joins(axis - 1)) drop(axis - 1, axis);
  }
  if (shape.size() > 2) return false;
  columns_ = shape.empty() ? 1 : shape.back();
  one_row_ = shape.size() < 2;
  for (std::size_t k = 0; k < leaves_.size(); ++k) {
    Leaf& leaf = leaves_[k];
    const Dims& strides = leaf.layout.strides;
    if (leaf.data != nullptr && !shape.empty()) leaf.element = strides.back();
    if (leaf.data != nullptr && shape.empty()) leaf.element = leaf.size();
    if (leaf.data != nullptr && !one_row_) leaf.row = strides.front();
    if (!is_regular(leaf)) return false;
    // Of a single element every operand is one that a kernel of the table reads.
    recipe_.inputs[k].single = leaf.element == 0 && columns_ > 1;
  }
  return (one_row_ || columns_ >= kLeastRow) && choose_at_once();
}

/// Whether the loop, or what packs for it, may read the operand where it lies. Elements of a row that are a cache line
/// and more apart share their lines with the rows beside it: a plan knows better orders.
bool Calculation::is_regular(const Leaf& leaf) const {
  constexpr std::int64_t kLine = 64;
  const std::int64_t aligned = std::min<std::int64_t>(leaf.size(), 8);
  return leaf.row % aligned == 0 && leaf.element % aligned == 0 &&
         (!leaf.packs() || one_row_ || std::abs(leaf.element) <= kLine);
}

bool Calculation::choose_at_once() {
  at_once_ = std::numeric_limits<std::int64_t>::max();
  int packed = 0;
  for (const Leaf& leaf : leaves_) {
    if (leaf.ready()) continue;
    ++packed;
    at_once_ = std::min(at_once_, kPackedBytes / std::max(leaf.size(), size_of(leaf.to)));
  }
  return packed <= kMostPacked;
}

/// One operation over operands none of which is a single element: the table has its loop.
bool Calculation::is_single_kernel() const {
  return recipe_.steps.size() == 1 &&
         std::none_of(recipe_.inputs.begin(), recipe_.inputs.end(), [](const auto& input) { return input.single; });
}

void Calculation::donate(const graph::Node& root, Donation& donation) const {
  const std::int64_t size = size_of(dtype_);
  const auto operations = cost() * static_cast<std::int64_t>(recipe_.steps.size());
  for (std::size_t k = 0; k < leaves_.size() && !donation; ++k) {
    const Leaf& leaf = leaves_[k];
    const bool same_places = leaf.kept && leaf.data == leaf.kept->data() && leaf.element == size &&
                             leaf.size() == size && leaf.ready() && (one_row_ || leaf.row == columns_ * size);
    if (same_places) donation.take(root, leaf.kept, operations);
  }
}

bool Calculation::make_loop(const kernel::Table& table) {
  table_ = &table;
  if (recipe_.steps.empty()) return true;
  if (!is_single_kernel()) return (loop_ = kernel::generate(recipe_)) != nullptr;
  const auto& step = recipe_.steps[0];
  kernel_ = table.elementwise[index_of(step.op)][index_of(step.dtype)];
  streaming_ = table.streaming[index_of(step.op)][index_of(step.dtype)];
  return true;
}

void Calculation::run(std::int64_t first, std::int64_t n, std::byte* out, bool streams) const {
  while (n > 0) {
    const std::int64_t column = first % columns_;
    const std::int64_t some = std::min({n, columns_ - column, at_once_});
    run_row(first / columns_, column, some, out, streams);
    first += some;
    n -= some;
    out += some * size_of(dtype_);
  }
}

/// n elements of the operand from `from` on, side by side and converted: in the room for what is packed or for what is
/// converted.
const std::byte* Calculation::made_ready(const Leaf& leaf, const std::byte* from, std::int64_t n,
                                         std::byte* (&room)[2]) const {
  if (leaf.packs()) {
    table_->pack[log2_size(leaf.from)](from, leaf.element, room[0], n);
    from = room[0];
  }
  if (leaf.converts()) {
    table_->cast[index_of(leaf.from)][index_of(leaf.to)](from, room[1], n);
    from = room[1];
  }
  return from;
}

void Calculation::run_row(std::int64_t row, std::int64_t column, std::int64_t n, std::byte* out, bool streams) const {
  alignas(64) std::byte packed[2 * kMostPacked][kPackedBytes];
  std::byte(*room)[kPackedBytes] = packed;
  if (recipe_.steps.empty()) {
    std::byte* places[] = {leaves_[0].converts() ? *room : out, out};
    made_ready(leaves_[0], leaves_[0].at(row, column), n, places);
    return;
  }
  const void* from[kernel::kMostStreams];
  for (std::size_t k = 0; k < leaves_.size(); ++k) {
    const Leaf& leaf = leaves_[k];
    from[k] = leaf.at(row, column);
    if (leaf.ready()) continue;
    std::byte* places[] = {room[0], room[1]};
    from[k] = made_ready(leaf, leaf.at(row, column), leaf.element == 0 ? 1 : n, places);
    room += 2;
  }
  if (loop_) {
    void* const to[] = {out};
    loop_->run(from, to, n, streams);
    return;
  }
  const auto& step = recipe_.steps[0];
  const void* in[kMaxArity];
  for (int k = 0; k < kMaxArity; ++k) in[k] = step.inputs[k] < 0 ? nullptr : from[step.inputs[k]];
  (streams && streaming_ != nullptr ? streaming_ : kernel_)(in, out, n);
}

const std::byte* Calculation::plain() const {
  return recipe_.steps.empty() && leaves_[0].ready() ? leaves_[0].data : nullptr;
}

std::int64_t Calculation::bytes_read() const {
  std::int64_t bytes = 0;
  for (const Leaf& leaf : leaves_) bytes += leaf.element == 0 ? 0 : leaf.size();
  return bytes;
}

std::int64_t Calculation::bytes_packed() const {
  std::int64_t bytes = 0;
  for (const Leaf& leaf : leaves_) bytes += leaf.packs() ? leaf.size() : 0;
  return bytes;
}

std::int64_t cost_of(Op op, DType dtype) {
  constexpr std::int64_t kMaths = 16;
  constexpr std::int64_t kComplexMaths = 64;
  const bool elsewhere = kernel::is_elsewhere(op, dtype) || row(op).domain == Domain::kWord;
  return !elsewhere ? 1 : kind_of(dtype) == Kind::kComplex ? kComplexMaths : kMaths;
}

std::int64_t Calculation::cost() const {
  std::int64_t cost = 1;
  for (const auto& step : recipe_.steps) cost = std::max(cost, cost_of(step.op, step.dtype));
  return cost;
}
std::int64_t Calculation::operations() const {
  return operations_of(cost() * static_cast<std::int64_t>(recipe_.steps.size()), bytes_read());
}

bool Calculation::clashes_with(const std::byte* out, std::int64_t n, std::int64_t step) const {
  const std::int64_t size = size_of(dtype_);
  const ByteRange written = byte_range({{n}, {step}, 0}, size);
  return std::any_of(leaves_.begin(), leaves_.end(), [&](const Leaf& leaf) {
    if (leaf.data == nullptr) return false;
    const ByteRange read = byte_range({{n / columns_, columns_}, {leaf.row, leaf.element}, 0}, leaf.size());
    const bool apart = leaf.data + read.end <= out + written.begin || out + written.end <= leaf.data + read.begin;
    const bool same = one_row_ && leaf.data == out && leaf.size() == size && leaf.element == step;
    return !apart && !same;
  });
}

}  // namespace penstock::run
