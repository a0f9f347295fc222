// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/memory/pool.h"

namespace penstock::run {
namespace {

using graph::Node;
using graph::NodeRef;

/// One program root to be computed for (a part of) a target.
struct Job {
  Work work = Work::kStore;
  NodeRef root;
  int target = -1;
  Layout part;            // kStore: within the target's destination
  bool whole = true;      // the part is all of the target
  std::vector<int> axes;  // kFold
  int wave = 0;
  Program program;  // alone, to see its operands
};

bool reads_memory(const Operand& operand) {
  return operand.kind == Operand::Kind::kMemory || operand.kind == Operand::Kind::kFile ||
         operand.kind == Operand::Kind::kTarget;
}

bool same_source(const Operand& a, const Operand& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Operand::Kind::kMemory) return a.memory->data() == b.memory->data();
  return a.kind == Operand::Kind::kFile ? a.file == b.file : a.kind == Operand::Kind::kTarget && a.target == b.target;
}

bool share_source(const Program& a, const Program& b) {
  for (const Operand& x : a.operands) {
    for (const Operand& y : b.operands) {
      if (same_source(x, y)) return true;
    }
  }
  return false;
}

/// Bytes that lie in any of the ranges.
std::int64_t union_size(std::vector<ByteRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) { return a.begin < b.begin; });
  std::int64_t bytes = 0;
  std::int64_t covered = std::numeric_limits<std::int64_t>::min();
  for (const ByteRange& each : ranges) {
    const std::int64_t begin = std::max(each.begin, covered);
    bytes += std::max<std::int64_t>(each.end - begin, 0);
    covered = std::max(covered, each.end);
  }
  return bytes;
}

class Planner {
 public:
  Plan make(const std::vector<Request>& requests) {
    for (const Request& request : requests) request_target(request);
    // Targets may be found while jobs are compiled: a reshape that needs its input laid out.
    for (std::size_t i = 0; i < plan_.targets.size(); ++i) add_jobs(static_cast<int>(i));
    for (std::size_t i = 0; i < jobs_.size(); ++i) compile_job(i);
    order_jobs();
    for (Job& job : jobs_) place(job);
    for (Pipeline& pipeline : plan_.pipelines) arrange(pipeline);
    group();
    return std::move(plan_);
  }

 private:
  void request_target(const Request& request) {
    const bool to_node = request.destination.kind == Destination::Kind::kNode;
    if (to_node && graph::resident(*request.node)) return;
    if (to_node && shared_.count(request.node.get()) != 0) {
      plan_.targets[static_cast<std::size_t>(shared_[request.node.get()])].requested = true;
      return;
    }
    const int index = add_target(request.node, request.destination);
    plan_.targets.back().requested = true;
    if (to_node && is_boundary(*request.node)) shared_[request.node.get()] = index;
  }

  int add_target(const NodeRef& node, Destination destination) {
    if (destination.layout.shape != node->shape) destination.layout = contiguous(node->shape, size_of(node->dtype));
    plan_.targets.push_back({node, std::move(destination), 0, false});
    return static_cast<int>(plan_.targets.size()) - 1;
  }

  /// Nodes whose elements can't be computed inside another node's program.
  static bool is_boundary(const Node& node) {
    return node.as<graph::Reduce>() || node.as<graph::Histogram>() || node.as<graph::Pieces>() ||
           node.as<graph::Operate>();
  }

  /// Makes a target of each boundary that `root`'s program would meet.
  void find_boundaries(const NodeRef& root) {
    std::vector<NodeRef> stack{root};
    std::set<const Node*> seen;
    while (!stack.empty()) {
      const NodeRef node = stack.back();
      stack.pop_back();
      if (!seen.insert(node.get()).second) continue;
      if (is_boundary(*node)) {
        if (shared_.count(node.get()) == 0) shared_[node.get()] = add_target(node, {});
        continue;
      }
      for (const NodeRef& input : node->inputs) stack.push_back(input);
    }
  }

  void add_jobs(int target) {
    const NodeRef node = plan_.targets[static_cast<std::size_t>(target)].node;
    const Layout layout = plan_.targets[static_cast<std::size_t>(target)].destination.layout;
    const bool to_node = plan_.targets[static_cast<std::size_t>(target)].destination.kind == Destination::Kind::kNode;
    // Reductions end in memory; from there they are stored like anything else.
    if (!to_node && !node->as<graph::Pieces>()) {
      jobs_.push_back({Work::kStore, node, target, layout, true, {}, 0, {}});
    } else if (const auto* reduce = node->as<graph::Reduce>()) {
      jobs_.push_back({Work::kFold, node->inputs[0], target, {}, true, reduce->axes, 0, {}});
    } else if (node->as<graph::Histogram>()) {
      jobs_.push_back({Work::kCount, node->inputs[0], target, {}, true, {}, 0, {}});
    } else if (node->as<graph::Pieces>()) {
      add_pieces(*node, target, layout);
    } else if (node->as<graph::Operate>()) {
      return;  // run/operate.h computes it before the plan is carried out
    } else {
      jobs_.push_back({Work::kStore, node, target, layout, true, {}, 0, {}});
    }
  }

  /// Parts of parts are written straight to their place.
  void add_pieces(const Node& node, int target, const Layout& layout) {
    const auto& places = node.as<graph::Pieces>()->places;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Layout part = view_index(layout, places[i]);
      const NodeRef& input = node.inputs[i];
      if (part.size() == 0) continue;
      if (input->as<graph::Pieces>() && shared_.count(input.get()) == 0)
        add_pieces(*input, target, part);
      else
        jobs_.push_back({Work::kStore, input, target, part, false, {}, 0, {}});
    }
  }

  void compile_job(std::size_t index) {
    find_boundaries(jobs_[index].root);
    add_missing_jobs();
    NeedsTarget needs;
    std::optional<Program> program;
    while (!(program = compile({jobs_[index].root}, targets_for(jobs_[index]), needs))) {
      PENSTOCK_CHECK(shared_.count(needs.node.get()) == 0, "a target does not resolve its reshape");
      shared_[needs.node.get()] = add_target(needs.node, {});
      add_missing_jobs();
    }
    jobs_[index].program = std::move(*program);
  }

  /// A store job computes its root even when that is a target of its own.
  Targets targets_for(const Job& job) const {
    Targets targets = shared_;
    const auto own = targets.find(job.root.get());
    if (job.work == Work::kStore && job.whole && own != targets.end() && own->second == job.target) targets.erase(own);
    return targets;
  }

  void add_missing_jobs() {
    for (; targets_with_jobs_ < plan_.targets.size(); ++targets_with_jobs_) {
      // Requested targets got theirs in make().
      if (!plan_.targets[targets_with_jobs_].requested) add_jobs(static_cast<int>(targets_with_jobs_));
    }
  }

  void order_jobs() {
    for (bool changed = true; changed;) {
      changed = false;
      std::vector<int> part_wave(plan_.targets.size(), 0);
      for (Job& job : jobs_) {
        // Parts of one target may overlap: a later one never runs before an earlier one.
        int wave = part_wave[static_cast<std::size_t>(job.target)];
        for (const Operand& operand : job.program.operands) {
          if (operand.kind == Operand::Kind::kTarget)
            wave = std::max(wave, plan_.targets[static_cast<std::size_t>(operand.target)].wave + 1);
        }
        part_wave[static_cast<std::size_t>(job.target)] = wave;
        if (job.wave == wave) continue;
        job.wave = wave;
        int& target_wave = plan_.targets[static_cast<std::size_t>(job.target)].wave;
        target_wave = std::max(target_wave, wave);
        changed = true;
      }
    }
  }

  static bool mergeable(const Job& job, Destination::Kind kind) {
    return job.whole && kind != Destination::Kind::kMemory && job.program.size() > 0;
  }

  /// One program for `roots`, the last of which is the job's; nothing when a reshape stands in the way.
  std::optional<Program> compile_together(const std::vector<NodeRef>& roots, const Job& job) const {
    Targets targets = targets_for(job);
    // Targets found after a job was compiled may be computed beside it or later: it does without them.
    std::erase_if(targets, [&](const auto& each) {
      return plan_.targets[static_cast<std::size_t>(each.second)].wave >= job.wave;
    });
    NeedsTarget needs;
    return compile(roots, targets, needs);
  }

  /// Puts the job into a pipeline that walks the same elements of a common source, or into a new one.
  void place(Job& job) {
    const Destination& destination = plan_.targets[static_cast<std::size_t>(job.target)].destination;
    const bool merge = mergeable(job, destination.kind);
    Destination part = destination;
    part.layout = job.part;
    for (std::size_t i = 0; merge && i < plan_.pipelines.size(); ++i) {
      Pipeline& pipeline = plan_.pipelines[i];
      if (!merges_[i] || pipeline.targets.size() == kMostOutputs || pipeline.work != job.work ||
          pipeline.wave != job.wave || pipeline.program.shape != job.program.shape || axes_[i] != job.axes ||
          !share_source(pipeline.program, job.program)) {
        continue;
      }
      std::vector<NodeRef> roots = roots_[i];
      roots.push_back(job.root);
      std::optional<Program> program = compile_together(roots, job);
      if (!program) continue;
      roots_[i] = std::move(roots);
      pipeline.program = std::move(*program);
      pipeline.targets.push_back(job.target);
      pipeline.parts.push_back(std::move(part));
      return;
    }
    Pipeline pipeline;
    pipeline.work = job.work;
    pipeline.program = std::move(job.program);
    pipeline.targets = {job.target};
    pipeline.parts = {std::move(part)};
    pipeline.wave = job.wave;
    plan_.pipelines.push_back(std::move(pipeline));
    merges_.push_back(merge);
    roots_.push_back({job.root});
    axes_.push_back(job.axes);
  }

  void arrange(Pipeline& pipeline) {
    if (pipeline.program.size() == 0) return;
    if (pipeline.work == Work::kStore) keep_order(pipeline);
    pipeline.natural = pipeline.program.shape;
    for (const Operand& operand : pipeline.program.operands) pipeline.reads.push_back(operand.layout);
    if (pipeline.work == Work::kFold) {
      const auto index = static_cast<std::size_t>(&pipeline - plan_.pipelines.data());
      pipeline.geometry = geometry_of(pipeline.natural, axes_[index]);
      permute(pipeline.program, pipeline.geometry.order);
    }
    turn_operands(pipeline);
  }

  static void permute(Program& program, const std::vector<int>& order) {
    program.shape = view_permute(contiguous(program.shape, 1), order).shape;
    for (Operand& operand : program.operands) {
      if (operand.kind != Operand::Kind::kConstant) operand.layout = view_permute(operand.layout, order);
    }
  }

  /// Results keep the memory order of their operands when that lets every one of them be read front to back.
  void keep_order(Pipeline& pipeline) {
    for (std::size_t k = 0; k < pipeline.targets.size(); ++k) {
      const Target& target = plan_.targets[static_cast<std::size_t>(pipeline.targets[k])];
      const bool shared = shared_.count(target.node.get()) != 0;
      if (shared || target.destination.kind != Destination::Kind::kNode ||
          pipeline.parts[k].layout.shape != target.node->shape)
        return;
    }
    const Operand* widest = nullptr;
    for (const Operand& operand : pipeline.program.operands) {
      if (reads_memory(operand) && std::count(operand.layout.strides.begin(), operand.layout.strides.end(), 0) == 0)
        widest = &operand;
    }
    if (widest == nullptr) return;
    std::vector<int> order;
    for (int i = 0; i < widest->layout.rank(); ++i) order.push_back(i);
    const Dims& strides = widest->layout.strides;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return std::abs(strides[static_cast<std::size_t>(a)]) > std::abs(strides[static_cast<std::size_t>(b)]);
    });
    if (std::is_sorted(order.begin(), order.end())) return;
    for (const Operand& operand : pipeline.program.operands) {
      if (reads_memory(operand) && !is_contiguous(view_permute(operand.layout, order), size_of(operand.dtype))) return;
    }
    permute(pipeline.program, order);
    std::vector<int> inverse(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    for (std::size_t k = 0; k < pipeline.targets.size(); ++k) {
      Target& target = plan_.targets[static_cast<std::size_t>(pipeline.targets[k])];
      pipeline.parts[k].layout = contiguous(pipeline.program.shape, size_of(target.node->dtype));
      target.destination.layout = view_permute(pipeline.parts[k].layout, inverse);
    }
  }

  void group() {
    int last = 0;
    for (const Pipeline& pipeline : plan_.pipelines) last = std::max(last, pipeline.wave);
    for (int wave = 0; wave <= last; ++wave) {
      for (std::size_t i = 0; i < plan_.pipelines.size(); ++i) {
        if (plan_.pipelines[i].wave == wave && plan_.pipelines[i].program.size() > 0)
          join_pass(static_cast<int>(i), wave);
      }
    }
  }

  void join_pass(int index, int wave) {
    const Pipeline& pipeline = plan_.pipelines[static_cast<std::size_t>(index)];
    const std::int64_t lead = lead_of(pipeline.natural);
    for (Pass& pass : plan_.passes) {
      const Pipeline& first = plan_.pipelines[static_cast<std::size_t>(pass.pipelines[0])];
      const auto i = static_cast<std::size_t>(index);
      const auto f = static_cast<std::size_t>(pass.pipelines[0]);
      if (pass.wave == wave && merges_[i] && merges_[f] && lead > 1 && lead_of(first.natural) == lead &&
          share_source(first.program, pipeline.program)) {
        pass.pipelines.push_back(index);
        pass.by_lead = true;
        pass.units = lead;
        return;
      }
    }
    plan_.passes.push_back({{index}, wave, 1, false});
  }

  Plan plan_;
  Targets shared_;  // nodes that are targets to all who read them
  std::vector<Job> jobs_;
  std::size_t targets_with_jobs_ = 0;
  std::vector<bool> merges_;  // per pipeline: takes further jobs
  std::vector<std::vector<NodeRef>> roots_;
  std::vector<std::vector<int>> axes_;
};

}  // namespace

std::int64_t lead_of(const Dims& shape) {
  const auto lead = std::find_if(shape.begin(), shape.end(), [](std::int64_t extent) { return extent != 1; });
  return lead == shape.end() ? 1 : *lead;
}

std::int64_t Plan::result_bytes() const {
  std::int64_t bytes = 0;
  for (const Target& target : targets) {
    if (target.is_fresh()) bytes += target.node->bytes();
  }
  return bytes;
}

std::int64_t Plan::held_bytes() const {
  std::int64_t bytes = 0;
  for (const Target& target : targets) {
    if (target.is_fresh()) bytes += memory::pool_capacity(target.node->bytes());
  }
  return bytes;
}

std::int64_t Plan::source_bytes(const Pass& pass) const {
  std::vector<const Operand*> sources;
  std::vector<std::vector<ByteRange>> ranges;  // by source
  for (const int index : pass.pipelines) {
    const Pipeline& pipeline = pipelines[static_cast<std::size_t>(index)];
    for (std::size_t i = 0; i < pipeline.program.operands.size(); ++i) {
      const Operand& operand = pipeline.program.operands[i];
      if (!reads_memory(operand) || operand.kind == Operand::Kind::kTarget) continue;
      const auto same = [&](const Operand* other) { return same_source(*other, operand); };
      const auto found = std::find_if(sources.begin(), sources.end(), same) - sources.begin();
      if (found == std::ssize(sources)) {
        sources.push_back(&operand);
        ranges.emplace_back();
      }
      ranges[static_cast<std::size_t>(found)].push_back(byte_range(pipeline.reads[i], size_of(operand.dtype)));
    }
  }
  return std::accumulate(ranges.begin(), ranges.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& each) { return sum + union_size(each); });
}

std::int64_t Plan::source_bytes() const {
  return std::accumulate(passes.begin(), passes.end(), std::int64_t{0},
                         [&](std::int64_t sum, const Pass& pass) { return sum + source_bytes(pass); });
}

std::int64_t Plan::output_bytes() const {
  std::int64_t bytes = 0;
  for (const Pipeline& pipeline : pipelines) {
    for (std::size_t k = 0; k < pipeline.parts.size() && pipeline.work == Work::kStore; ++k) {
      const DType dtype = pipeline.program.values[static_cast<std::size_t>(pipeline.program.outputs[k])];
      if (pipeline.parts[k].in_file()) bytes += pipeline.program.size() * size_of(dtype);
    }
  }
  return bytes;
}

std::int64_t Plan::scratch_bytes() const {
  std::int64_t bytes = 0;
  for (const Target& target : targets) {
    if (target.destination.kind == Destination::Kind::kScratch) bytes += target.node->bytes();
  }
  return bytes;
}

void turn_operands(Pipeline& pipeline) {
  // Columns walked inside their rows are no stretch of the program's order.
  if (pipeline.work == Work::kFold && pipeline.geometry.split_kept) return;
  // Small files lie in the cache; tests of tiling see small ones only.
  const std::int64_t least = env(Env::kDEBUG_OUTER) ? 0 : caches().l2;
  for (std::size_t i = 0; i < pipeline.program.operands.size(); ++i) {
    Operand& operand = pipeline.program.operands[i];
    const auto known = [&](const TurnedOperand& each) { return each.operand == static_cast<int>(i); };
    if (operand.kind != Operand::Kind::kFile || std::any_of(pipeline.turned.begin(), pipeline.turned.end(), known)) {
      continue;
    }
    const std::optional<Turning> how = turning_of(operand.layout, size_of(operand.dtype), least);
    if (!how) continue;
    operand.layout = how->in_tile(pipeline.program.shape);
    pipeline.turned.push_back({static_cast<int>(i), *how});
  }
}

Plan make_plan(const std::vector<Request>& requests) { return Planner().make(requests); }

}  // namespace penstock::run
