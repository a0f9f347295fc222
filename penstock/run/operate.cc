// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/operate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/claim.h"
#include "penstock/run/lend.h"
#include "penstock/run/write_part.h"
#include "penstock/store/scratch_file.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

using graph::NodeRef;
using graph::Operator;
using graph::Step;
using Kind = Destination::Kind;

bool is_operator(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return node.as<graph::Operate>() != nullptr;
}

std::string text_of(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return node.as<graph::Operate>()->op->text();
}

/// An operator's work for one destination.
class OperatorRun {
 public:
  OperatorRun(const graph::Node& node, const Options& options) : monitor_(options, node.bytes()) {
    {
      const std::lock_guard lock(graph::graph_mutex());
      op_ = node.as<graph::Operate>()->op;
      inputs_of_node_ = node.inputs;
    }
    quiet_.stop = options.stop;
    if (options.poll) quiet_.poll = [this](const Progress&) { monitor_.tick(); };
    for (const NodeRef& input : inputs_of_node_) {
      if (is_operator(*input)) operate(input, quiet_, Keep::kAnywhere);
      inputs_.emplace_back(input);
    }
  }

  void run(const Destination& to, std::int64_t size) {
    const std::vector<Step> steps = fitting_steps(to, size);
    memory::Buffer tile;
    const memory::Buffer state = state_of(steps);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      monitor_.tick();
      const Step& step = steps[i];
      graph::Leases leases;
      for (std::size_t k = 0; k < inputs_.size(); ++k) leases.inputs.push_back(lend(k, step));
      const std::int64_t bytes = count(step.output.shape) * size;
      if (to.in_file() && tile.size() != bytes) {
        tile = {};
        tile = memory::Buffer::allocate(bytes, "tile of an output");
      }
      leases.output = output_of(to, step, tile, size);
      leases.state = state.data();
      leases.threads = thread::count();
      leases.scratch = op_->scratch_bytes(step, leases.threads);
      leases.tick = [this] { monitor_.tick(); };
      {
        const measure::Span span(measure::Step::k_compute);
        op_->compute(step, leases);
      }
      const bool last = i + 1 == steps.size() || steps[i + 1].first;
      if (last) finish(to, step, tile, size);
    }
    measure::add(measure::Counter::k_evaluations, 1);
  }

 private:
  /// The same box of the same node is lent once.
  graph::Lease lend(std::size_t k, const Step& step) {
    for (std::size_t other = 0; other < k; ++other) {
      if (inputs_[other].node() == inputs_[k].node() && step.inputs[other] == step.inputs[k])
        return inputs_[other].lend(step.inputs[k], quiet_);
    }
    return inputs_[k].lend(step.inputs[k], quiet_);
  }

  memory::Buffer state_of(const std::vector<Step>& steps) const {
    const std::int64_t bytes = op_->state_bytes(steps);
    if (bytes == 0) return {};
    memory::Buffer state = memory::Buffer::allocate(bytes, "what an operator's steps hand on");
    std::memset(state.data(), 0, static_cast<std::size_t>(bytes));
    return state;
  }

  static graph::Lease output_of(const Destination& to, const Step& step, const memory::Buffer& tile,
                                std::int64_t size) {
    if (to.in_file()) return {tile.data(), contiguous(step.output.shape, size)};
    Layout layout = view_index(to.layout, indices_of(step.output));
    std::byte* data = to.memory->data() + layout.offset;
    layout.offset = 0;
    return {data, std::move(layout)};
  }

  void finish(const Destination& to, const Step& step, const memory::Buffer& tile, std::int64_t size) {
    const std::int64_t elements = count(step.output.shape);
    monitor_.add(elements * size);
    if (!to.in_file() || elements == 0) return;
    Destination part = to;
    part.layout = view_index(to.layout, indices_of(step.output));
    write_part(part, tile, {0, elements}, size);
  }

  /// Bytes of the pool that a step takes beside a result in memory.
  std::int64_t bytes_of(const Step& step, const Destination& to, std::int64_t size) const {
    std::int64_t bytes = op_->scratch_bytes(step, thread::count());
    for (std::size_t k = 0; k < inputs_.size(); ++k) bytes += inputs_[k].bytes(step.inputs[k]);
    if (to.in_file()) bytes += memory::pool_capacity(count(step.output.shape) * size);
    return bytes;
  }

  std::vector<Step> fitting_steps(const Destination& to, std::int64_t size) const {
    const std::int64_t available = memory::Governor::instance().available();
    const auto most = [&](const std::vector<Step>& steps) {
      std::int64_t bytes = 0;
      for (const Step& step : steps) bytes = std::max(bytes, bytes_of(step, to, size));
      const std::int64_t state = op_->state_bytes(steps);
      return bytes + (state > 0 ? memory::pool_capacity(state) : 0);
    };
    std::vector<Step> steps = op_->steps(std::numeric_limits<std::int64_t>::max());
    std::int64_t need = most(steps);
    const bool ready = std::all_of(inputs_.begin(), inputs_.end(), [](const Input& each) { return each.resident(); });
    // Evaluating inputs takes tiles and states of its own.
    const std::int64_t room = ready ? available : available / 10 * 9;
    for (std::int64_t bytes = available / 5 * 4; need > room; bytes = bytes / 4 * 3) {
      constexpr std::int64_t kLeast = 64 << 10;
      if (bytes < kLeast) refuse(need, available);
      steps = op_->steps(bytes);
      need = most(steps);
    }
    return steps;
  }

  [[noreturn]] void refuse(std::int64_t need, std::int64_t available) const {
    throw BudgetError(cat(op_->text(), " needs at least ", bytes_text(need), " beside its result; ",
                          bytes_text(std::max<std::int64_t>(available, 0)),
                          " of the memory budget is free. Raise the budget (PENSTOCK_MEMORY, ps.memory_budget)"));
  }

  Monitor monitor_;
  Options quiet_;  // for what is evaluated on the way: one progress, not several
  std::shared_ptr<const Operator> op_;
  std::vector<NodeRef> inputs_of_node_;
  std::vector<Input> inputs_;
};

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
  auto file =
      std::make_shared<store::FileSource>(to.scratch->name(), store::FileFormat{node->dtype, false, to.layout, "raw"});
  file->attach(to.scratch->finish().release());
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

void operate(const NodeRef& node, const Options& options, Keep keep) {
  if (operate_whole(node, options)) return;
  const measure::Span evaluation(measure::Step::k_evaluate);
  Claims claims;
  if (!claim(node, options, claims)) return;
  if (memory::pool_capacity(node->bytes()) > memory::Governor::instance().available()) {
    if (keep == Keep::kAnywhere) return operate_to_scratch(node, options);
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
