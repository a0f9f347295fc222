// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/operator_run.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/operate.h"
#include "penstock/run/write_part.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {

using graph::Box;
using graph::Lease;
using graph::NodeRef;
using graph::Step;

namespace {

constexpr std::int64_t kLeast = 64 << 10;  // bytes of a step: cut finer, steps are not tried

bool is_operator(const graph::Node& node) {
  const std::lock_guard lock(graph::graph_mutex());
  return node.as<graph::Operate>() != nullptr;
}

/// Where a box of the output is written: in memory its place there, else the tile, which is made as large as it needs.
Lease room_for(const Destination& to, const Box& box, memory::Buffer& tile, std::int64_t size) {
  if (!to.in_file()) {
    Layout layout = view_index(to.layout, indices_of(box));
    std::byte* data = to.memory->data() + layout.offset;
    layout.offset = 0;
    return {data, std::move(layout)};
  }
  const std::int64_t bytes = count(box.shape) * size;
  if (tile.size() != bytes) {
    tile = {};
    tile = memory::Buffer::allocate(bytes, "tile of an output");
  }
  return {tile.data(), contiguous(box.shape, size)};
}

}  // namespace

class OperatorRun::PassAccess final : public Access {
 public:
  PassAccess(OperatorRun& run, const Destination& to, std::int64_t size) : run_(run), to_(to), size_(size) {}

  Lease read(std::size_t k, const Box& box) override {
    run_.monitor_.tick();
    return run_.inputs_[k].lend(box, run_.quiet_);
  }
  void write(const Box& box, const std::function<void(const Lease&)>& fill) override {
    fill(room_for(to_, box, tile_, size_));
    run_.finish(to_, box, tile_, size_);
  }
  std::int64_t available() const override { return run_.available(); }
  Crew crew() const override { return {thread::count(), &run_.tick_}; }

 private:
  OperatorRun& run_;
  const Destination& to_;
  std::int64_t size_;
  memory::Buffer tile_;
};

OperatorRun::OperatorRun(const graph::Node& node, const Options& options) : monitor_(options, node.bytes()) {
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

void OperatorRun::run(const Destination& to, std::int64_t size) {
  const std::optional<std::vector<Step>> steps = fitting_steps(to, size);
  if (!steps) return run_in_passes(to, size);
  memory::Buffer tile;
  const memory::Buffer state = state_of(*steps);
  for (std::size_t i = 0; i < steps->size(); ++i) {
    monitor_.tick();
    const Step& step = (*steps)[i];
    compute(step, state.data(), room_for(to, step.output, tile, size));
    const bool last = i + 1 == steps->size() || (*steps)[i + 1].first;
    if (last) finish(to, step.output, tile, size);
  }
  measure::add(measure::Counter::k_evaluations, 1);
}

void OperatorRun::compute(const Step& step, std::byte* state, const Lease& output) {
  graph::Leases leases;
  for (std::size_t k = 0; k < inputs_.size(); ++k) leases.inputs.push_back(lend(k, step));
  leases.output = output;
  leases.state = state;
  leases.threads = thread::count();
  leases.scratch = op_->scratch_bytes(step, leases.threads);
  leases.tick = tick_;
  const measure::Span span(measure::Step::k_compute);
  op_->compute(step, leases);
}

void OperatorRun::run_in_passes(const Destination& to, std::int64_t size) {
  const measure::Span span(measure::Step::k_compute);
  PassAccess access(*this, to, size);
  static_cast<const InPasses&>(*op_).compute_in_passes(access);
  measure::add(measure::Counter::k_evaluations, 1);
}

/// The same box of the same node is lent once.
Lease OperatorRun::lend(std::size_t k, const Step& step) {
  for (std::size_t other = 0; other < k; ++other) {
    if (inputs_[other].node() == inputs_[k].node() && step.inputs[other] == step.inputs[k])
      return inputs_[other].lend(step.inputs[k], quiet_);
  }
  return inputs_[k].lend(step.inputs[k], quiet_);
}

memory::Buffer OperatorRun::state_of(const std::vector<Step>& steps) const {
  const std::int64_t bytes = op_->state_bytes(steps);
  if (bytes == 0) return {};
  memory::Buffer state = memory::Buffer::allocate(bytes, "what an operator's steps hand on");
  std::memset(state.data(), 0, static_cast<std::size_t>(bytes));
  return state;
}

void OperatorRun::finish(const Destination& to, const Box& output, const memory::Buffer& tile, std::int64_t size) {
  const std::int64_t elements = count(output.shape);
  monitor_.add(elements * size);
  if (!to.in_file() || elements == 0) return;
  Destination part = to;
  part.layout = view_index(to.layout, indices_of(output));
  write_part(part, tile, {0, elements}, size);
}

/// Bytes of the pool that a step takes beside a result in memory.
std::int64_t OperatorRun::bytes_of(const Step& step, const Destination& to, std::int64_t size) const {
  std::int64_t bytes = op_->scratch_bytes(step, thread::count());
  for (std::size_t k = 0; k < inputs_.size(); ++k) bytes += inputs_[k].bytes(step.inputs[k]);
  if (to.in_file()) bytes += memory::pool_capacity(count(step.output.shape) * size);
  return bytes;
}

/// Of the budget, what is free: a part of it where inputs are evaluated, which takes tiles and states of its own.
std::int64_t OperatorRun::available() const {
  const std::int64_t free = memory::Governor::instance().available();
  const bool ready = std::all_of(inputs_.begin(), inputs_.end(), [](const Input& each) { return each.resident(); });
  return ready ? free : free / 10 * 9;
}

/// Nothing where not even the smallest steps fit, but passes do, and where these take less time.
std::optional<std::vector<Step>> OperatorRun::fitting_steps(const Destination& to, std::int64_t size) const {
  const auto most = [&](const std::vector<Step>& steps) {
    std::int64_t bytes = 0;
    for (const Step& step : steps) bytes = std::max(bytes, bytes_of(step, to, size));
    const std::int64_t state = op_->state_bytes(steps);
    return bytes + (state > 0 ? memory::pool_capacity(state) : 0);
  };
  std::vector<Step> steps = op_->steps(std::numeric_limits<std::int64_t>::max());
  std::int64_t need = most(steps);
  const std::int64_t room = available();
  const auto* passes = dynamic_cast<const InPasses*>(op_.get());
  if (need > room && passes != nullptr && !inputs_[0].resident() && passes->passes_pay(room)) return std::nullopt;
  for (std::int64_t bytes = room / 10 * 9; need > room; bytes = bytes / 8 * 7) {
    if (bytes < kLeast) {
      if (passes == nullptr) refuse(need);
      if (passes->least_bytes() > room) refuse(passes->least_bytes());
      return std::nullopt;
    }
    steps = op_->steps(bytes);
    need = most(steps);
  }
  return steps;
}

void OperatorRun::refuse(std::int64_t need) const {
  const std::int64_t free = memory::Governor::instance().available();
  throw BudgetError(cat(op_->text(), " needs at least ", bytes_text(need), " beside its result; ",
                        bytes_text(std::max<std::int64_t>(free, 0)),
                        " of the memory budget is free. Raise the budget (PENSTOCK_MEMORY, ps.memory_budget)"));
}

}  // namespace penstock::run
