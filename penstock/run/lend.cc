// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/lend.h"

#include <utility>

#include "penstock/memory/buffer.h"
#include "penstock/memory/pool.h"
#include "penstock/run/execute.h"
#include "penstock/type/slice.h"

namespace penstock::run {
namespace {

std::optional<graph::InMemory> found(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return graph::resident(node);
}

}  // namespace

std::vector<Index> indices_of(const graph::Box& box) {
  std::vector<Index> indices;
  for (std::size_t d = 0; d < box.begin.size(); ++d)
    indices.push_back(slice(box.begin[d], box.begin[d] + box.shape[d]));
  return indices;
}

Input::Input(graph::NodeRef node)
    : node_(std::move(node)),
      box_(graph::whole(node_->shape)),
      present_(found(*node_)),
      resident_(present_.has_value()) {}

std::int64_t Input::bytes(const graph::Box& box) const {
  return resident_ ? 0 : memory::pool_capacity(count(box.shape) * size_of(node_->dtype));
}

graph::Lease Input::lend(const graph::Box& box, const Options& options) {
  if (!present_ || box_ != box) take(box, options);
  Layout layout = present_->layout;
  layout.offset = 0;
  return {present_->memory->data() + present_->layout.offset, std::move(layout)};
}

void Input::take(const graph::Box& box, const Options& options) {
  present_.reset();
  const bool all = box.shape == node_->shape;
  const graph::NodeRef part =
      all ? node_ : graph::make_view(node_, {graph::View::Type::kIndex, indices_of(box), {}, {}});
  present_ = found(*part);
  if (!present_) {
    const Layout layout = contiguous(part->shape, size_of(part->dtype));
    auto memory = memory::share(memory::Buffer::allocate(part->bytes(), "an operand of a product"));
    if (part->size() > 0) {
      Request request{part, {}};
      request.destination.kind = Destination::Kind::kMemory;
      request.destination.memory = memory;
      request.destination.layout = layout;
      evaluate({request}, options);
    }
    present_ = graph::InMemory{std::move(memory), layout};
  }
  box_ = box;
}

}  // namespace penstock::run
