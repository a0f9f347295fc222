// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/operate.h"

#include <algorithm>
#include <optional>
#include <set>

#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/cell_file.h"
#include "penstock/run/claim.h"
#include "penstock/run/operator_run.h"
#include "penstock/store/scratch_file.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

using graph::NodeRef;
using graph::Operator;
using Kind = Destination::Kind;

std::string text_of(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return node.as<graph::Operate>()->op->text();
}

/// Claims the node once nobody else does; false when it has its result by then.
bool claim(const NodeRef& node, const Options& options, Claims& claims) {
  Monitor monitor(options, 0);
  std::unique_lock lock(graph::graph_mutex());
  while (node->as<graph::Operate>()) {
    if (!is_claimed(*node)) {
      claims.add(node);
      return true;
    }
    Claims::refuse_own(*node);
    wait_for_claims(lock);
    lock.unlock();
    monitor.tick();
    lock.lock();
  }
  return false;
}

/// Whether evaluating the node may read memory between begin and end.
bool reads(const NodeRef& root, const std::byte* begin, const std::byte* end) {
  const std::lock_guard lock(graph::graph_mutex());
  std::vector<const graph::Node*> stack{root.get()};
  std::set<const graph::Node*> seen;
  while (!stack.empty()) {
    const graph::Node* node = stack.back();
    stack.pop_back();
    if (!seen.insert(node).second) continue;
    if (const auto* in = node->as<graph::InMemory>()) {
      const ByteRange range = byte_range(in->layout, size_of(node->dtype));
      if (in->memory->data() + range.begin < end && begin < in->memory->data() + range.end) return true;
    }
    for (const NodeRef& input : node->inputs) stack.push_back(input.get());
  }
  return false;
}

/// The operator that gives a node's elements in their order: itself, or what is reshaped. Null where there is none.
NodeRef operator_beneath(NodeRef node) {
  const std::lock_guard lock(graph::graph_mutex());
  while (const auto* view = node->as<graph::View>()) {
    if (view->type != graph::View::Type::kReshape) return nullptr;
    node = node->inputs[0];
  }
  return node->as<graph::Operate>() != nullptr ? node : nullptr;
}

bool writes_in_place(const NodeRef& node, const Destination& to) {
  const std::int64_t size = size_of(node->dtype);
  const Layout& layout = to.layout;
  if (layout.rank() > 0 && layout.shape.back() > 1 && layout.strides.back() != size) return false;
  const auto first = reinterpret_cast<std::uintptr_t>(to.memory->data() + layout.offset);
  const auto aligned = [&](std::int64_t step) { return step % size == 0; };
  if (first % static_cast<std::uintptr_t>(size) != 0 ||
      !std::all_of(layout.strides.begin(), layout.strides.end(), aligned)) {
    return false;
  }
  const ByteRange range = byte_range(layout, size);
  return !reads(node, to.memory->data() + range.begin, to.memory->data() + range.end);
}

}  // namespace

bool operate_whole(const NodeRef& node, const Options& options, std::int64_t most) {
  constexpr std::int64_t kRoom = 16 << 20;  // bytes: where less is free, steps know ways out
  std::shared_ptr<const Operator> kept;
  const WholeOperator* op = nullptr;
  graph::InMemory inputs[2];
  Claims claims;
  const int threads = thread::count();
  {
    const std::lock_guard lock(graph::graph_mutex());
    const auto* operate = node->as<graph::Operate>();
    if (operate == nullptr || node->inputs.size() != 2 || is_claimed(*node)) return false;
    op = dynamic_cast<const WholeOperator*>(operate->op.get());
    if (op == nullptr || op->operations() < 0 || op->operations() > most) return false;
    if (node->bytes() + op->whole_bytes(threads) + kRoom > memory::Governor::instance().available()) return false;
    for (std::size_t k = 0; k < 2; ++k) {
      std::optional<graph::InMemory> found = graph::resident(*node->inputs[k]);
      if (!found || found->memory->rewritten != 0) return false;
      inputs[k] = std::move(*found);
    }
    kept = operate->op;
    claims.add(node);
  }
  const measure::Span evaluation(measure::Step::k_evaluate);
  graph::Lease leases[2];
  for (std::size_t k = 0; k < 2; ++k) {
    leases[k] = {inputs[k].memory->data() + inputs[k].layout.offset, std::move(inputs[k].layout)};
    leases[k].layout.offset = 0;
  }
  auto result = memory::share(memory::Buffer::allocate(node->bytes(), "the result"));
  Monitor monitor(options, node->bytes());
  const std::function<void()> tick = [&] { monitor.tick(); };
  {
    const measure::Span span(measure::Step::k_compute);
    op->compute_whole(leases[0], leases[1], result->data(), {threads, &tick});
  }
  measure::add(measure::Counter::k_evaluations, 1);
  std::vector<NodeRef> dropped;  // destroyed after the lock is gone
  const std::lock_guard lock(graph::graph_mutex());
  publish(*node, {std::move(result), contiguous(node->shape, size_of(node->dtype))}, dropped);
  return true;
}

namespace {

/// Computes an operator that memory has no room for into a scratch file, which is what the node is from then on.
void operate_to_scratch(const NodeRef& node, const Options& options) {
  const std::int64_t size = size_of(node->dtype);
  Destination to;
  to.kind = Kind::kScratch;
  to.layout = contiguous(node->shape, size);
  to.scratch = std::make_shared<store::ScratchFile>(store::scratch_directory(""), node->bytes());
  OperatorRun(*node, options).run(to, size);
  auto file = source_of(*to.scratch, node->dtype, to.layout);
  std::vector<NodeRef> dropped;  // destroyed after the lock is gone
  const std::lock_guard lock(graph::graph_mutex());
  publish(*node, graph::InFile{std::move(file), std::move(to.layout)}, dropped);
}

[[noreturn]] void refuse_result(const graph::Node& node, const std::string& what) {
  memory::Governor& governor = memory::Governor::instance();
  throw BudgetError(cat("the result of ", what, " needs ", bytes_text(node.bytes()), "; ",
                        bytes_text(governor.available()), " of the memory budget of ", bytes_text(governor.budget()),
                        " is free. Save it to a file (ps.save), or raise the budget (PENSTOCK_MEMORY, "
                        "ps.memory_budget)"));
}

}  // namespace

bool has_room(std::int64_t bytes, Keep keep) {
  constexpr std::int64_t kNoFile = 64 << 10;  // bytes that no file is worth, nor the question what is free
  if (keep == Keep::kBeside && bytes <= kNoFile) return true;
  constexpr std::int64_t kShare = 4;  // several results are kept one after the other, and each leaves room for the next
  const std::int64_t free = memory::Governor::instance().available();
  return memory::pool_capacity(bytes) <= (keep == Keep::kBeside ? free / kShare : free);
}

void operate(const NodeRef& node, const Options& options, Keep keep) {
  if ((keep != Keep::kBeside || has_room(node->bytes(), keep)) && operate_whole(node, options)) return;
  const measure::Span evaluation(measure::Step::k_evaluate);
  Claims claims;
  if (!claim(node, options, claims)) return;
  if (!has_room(node->bytes(), keep)) {
    if (keep != Keep::kInMemory) return operate_to_scratch(node, options);
    refuse_result(*node, text_of(*node));
  }
  Destination to;
  to.layout = contiguous(node->shape, size_of(node->dtype));
  to.memory = memory::share(memory::Buffer::allocate(node->bytes(), "the result"));
  OperatorRun(*node, options).run(to, size_of(node->dtype));
  std::vector<NodeRef> dropped;  // destroyed after the lock is gone
  const std::lock_guard lock(graph::graph_mutex());
  publish(*node, graph::InMemory{std::move(to.memory), std::move(to.layout)}, dropped);
}

bool operate_directly(const std::vector<Request>& requests, const Options& options) {
  if (requests.size() != 1) return false;
  const NodeRef node = operator_beneath(requests[0].node);
  if (node == nullptr) return false;
  Destination to = requests[0].destination;
  switch (to.kind) {
    case Kind::kNode:
      if (node != requests[0].node) return false;
      operate(node, options, Keep::kInMemory);
      return true;
    case Kind::kMemory: {
      std::optional<Layout> layout = view_reshape(to.layout, node->shape);
      if (!layout) return false;
      to.layout = std::move(*layout);
      if (!writes_in_place(node, to)) return false;
      break;
    }
    case Kind::kFile:
    case Kind::kScratch:
      to.layout = contiguous(node->shape, size_of(node->dtype));
      break;
    default:
      return false;
  }
  const measure::Span evaluation(measure::Step::k_evaluate);
  OperatorRun(*node, options).run(to, size_of(node->dtype));
  return true;
}

NodeRef pending_operator(const Plan& plan) {
  for (const Target& target : plan.targets) {
    if (target.destination.kind == Kind::kNode && target.node->as<graph::Operate>()) return target.node;
  }
  return nullptr;
}

}  // namespace penstock::run
