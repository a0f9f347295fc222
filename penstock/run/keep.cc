// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/keep.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/cell_file.h"
#include "penstock/run/execute.h"
#include "penstock/run/operate.h"
#include "penstock/store/file_source.h"

namespace penstock::run {
namespace {

using graph::NodeRef;

/// What a node is a view of, where strides express it on elements in C order; null for other reshapes.
NodeRef viewed(const NodeRef& node) {
  std::vector<const graph::View*> views;
  NodeRef at = node;
  while (const auto* view = at->as<graph::View>()) {
    views.push_back(view);
    at = NodeRef(at->inputs[0]);
  }
  std::optional<Layout> layout = contiguous(at->shape, size_of(at->dtype));
  for (std::size_t i = views.size(); layout && i-- > 0;) layout = views[i]->of(*layout);
  return layout ? at : nullptr;
}

struct Base {
  NodeRef node;
  bool operates = false;
  bool in_file = false;
};

Base base_of(const NodeRef& node) {
  const std::lock_guard lock(graph::graph_mutex());
  Base base{viewed(node)};
  if (base.node != nullptr) {
    base.operates = base.node->as<graph::Operate>() != nullptr;
    base.in_file = base.node->as<graph::InFile>() != nullptr;
  }
  return base;
}

bool is_resident(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return graph::resident(node).has_value();
}

bool evaluated_in_memory(const NodeRef& node, const Options& options) {
  if (!has_room(node->bytes(), Keep::kBeside)) return false;
  try {
    evaluate({{node, {}}}, options);
    return true;
  } catch (const BudgetError&) {
    return false;  // what it is computed from needs the room
  }
}

NodeRef node_in(store::ScratchFile& scratch, DType dtype, Layout layout) {
  auto file = source_of(scratch, dtype, layout);
  Dims shape = layout.shape;
  return std::make_shared<graph::Node>(dtype, std::move(shape), graph::InFile{std::move(file), std::move(layout)});
}

NodeRef in_scratch(const NodeRef& node, const Options& options) {
  Request request{node, {}};
  Destination& to = request.destination;
  to.kind = Destination::Kind::kScratch;
  to.layout = contiguous(node->shape, size_of(node->dtype));
  to.scratch = std::make_shared<store::ScratchFile>(store::scratch_directory(""), node->bytes());
  evaluate({request}, options);
  return node_in(*to.scratch, node->dtype, to.layout);
}

}  // namespace

NodeRef keep(const NodeRef& node, const Options& options) {
  if (is_resident(*node)) return node;
  const Base base = base_of(node);
  if (base.operates) {
    operate(base.node, options, Keep::kBeside);
    return node;
  }
  if (evaluated_in_memory(node, options) || base.in_file) return node;
  return in_scratch(node, options);
}

std::int64_t piece_of(std::int64_t n, std::int64_t bytes) {
  constexpr std::int64_t kLeast = 4 << 10;
  if (n <= kLeast) return kLeast;  // to ask what is free takes longer than what is done with so few
  constexpr std::int64_t kMost = 4 << 20;
  return std::clamp(memory::Governor::instance().available() / 8 / bytes, kLeast, kMost);
}

Collector::Collector(DType dtype, std::int64_t n, const char* what) : dtype_(dtype), n_(n) {
  const std::int64_t bytes = checked_mul(n, size_of(dtype), "bytes of the array");
  if (has_room(bytes, Keep::kBeside)) {
    try {
      buffer_ = memory::Buffer::allocate(bytes, what);
      return;
    } catch (const BudgetError&) {  // others took the room meanwhile, or a small result finds none
    }
  }
  scratch_ = std::make_shared<store::ScratchFile>(store::scratch_directory(""), bytes);
}

std::byte* Collector::room(std::int64_t most) {
  if (in_memory()) return buffer_.data() + taken_ * size_of(dtype_);
  if (buffer_.size() < most * size_of(dtype_)) {
    buffer_ = {};
    buffer_ = memory::Buffer::allocate(most * size_of(dtype_), "a piece of a result");
  }
  return buffer_.data();
}

void Collector::take(std::int64_t elements) {
  PENSTOCK_CHECK(elements >= 0 && elements <= n_ - taken_, elements, " elements after ", taken_, " of ", n_);
  const std::int64_t size = size_of(dtype_);
  if (!in_memory() && elements > 0) scratch_->write(taken_ * size, buffer_.data(), elements * size);
  taken_ += elements;
}

NodeRef Collector::finish() {
  PENSTOCK_CHECK(taken_ == n_, taken_, " elements of ", n_);
  Layout layout = contiguous({n_}, size_of(dtype_));
  if (!in_memory()) return node_in(*scratch_, dtype_, std::move(layout));
  return graph::make_memory(dtype_, memory::share(std::move(buffer_)), std::move(layout));
}

}  // namespace penstock::run
