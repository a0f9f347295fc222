// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/execute.h"

#include <algorithm>
#include <cstring>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/base/text.h"
#include "penstock/kernel/table.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/claim.h"
#include "penstock/run/direct.h"
#include "penstock/run/donate.h"
#include "penstock/run/operate.h"
#include "penstock/run/pass_plan.h"
#include "penstock/run/spill.h"
#include "penstock/run/write_part.h"
#include "penstock/simd/target.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

using Kind = Destination::Kind;
using Runners = std::vector<std::unique_ptr<Runner>>;

/// Memory of the outputs of a pipeline; null for files (and for plans that are only shown).
std::vector<std::byte*> output_memory(const Plan& plan, const Pipeline& pipeline) {
  std::vector<std::byte*> memory;
  for (const int target : pipeline.targets) {
    const Destination& destination = plan.targets[static_cast<std::size_t>(target)].destination;
    memory.push_back(destination.memory ? destination.memory->data() : nullptr);
  }
  return memory;
}

Runners make_runners(const Plan& plan, const Pass& pass, const kernel::Table& table) {
  Runners runners;
  for (const int index : pass.pipelines) {
    const Pipeline& pipeline = plan.pipelines[static_cast<std::size_t>(index)];
    std::vector<std::byte*> memory = output_memory(plan, pipeline);
    switch (pipeline.work) {
      case Work::kStore:
        runners.push_back(make_store(pipeline, std::move(memory), pass.by_lead));
        break;
      case Work::kFold:
        runners.push_back(make_fold(pipeline, plan.targets, table, memory, pass.by_lead));
        break;
      case Work::kCount:
        runners.push_back(make_count(pipeline, plan.targets, std::move(memory), pass.by_lead));
        break;
    }
  }
  return runners;
}

/// The value of a reduction of no elements: 0, or 1 for a product.
void fill_empty(const Target& target) {
  std::byte* out = target.destination.memory->data();
  const auto bytes = static_cast<std::size_t>(target.node->bytes());
  std::memset(out, 0, bytes);
  const auto* reduce = target.node->as<graph::Reduce>();
  if (reduce == nullptr || reduce->reduction != Reduction::k_prod) return;
  visit(target.node->dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, Half>) std::fill_n(reinterpret_cast<T*>(out), target.node->size(), T(1));
  });
}

[[noreturn]] void refuse(std::int64_t need, std::int64_t available) {
  throw BudgetError(cat("this evaluation needs at least ", bytes_text(need),
                        " beside its results for tiles and states; ", bytes_text(std::max<std::int64_t>(available, 0)),
                        " of the memory budget is free. Raise the budget (PENSTOCK_MEMORY, ps.memory_budget) or reduce "
                        "fewer elements at once"));
}

/// One pass at work.
class PassRun {
 public:
  PassRun(const Plan& plan, const Pass& pass, std::int64_t available, Monitor& monitor)
      : plan_(plan), pass_(pass), monitor_(monitor) {
    context_.table = &kernel::table();
    context_.monitor = &monitor;
    runners_ = make_runners(plan, pass, *context_.table);
    walk_ = plan_pass(plan, pass, runners_, available, thread::count());
    context_.threads = walk_.threads;
    if (walk_.bytes() > available) refuse(walk_.bytes(), available);
    context_.mapped = walk_.mapped;
    std::int64_t moved = 0;
    OpClass what = OpClass::kCopy;
    for (const int index : pass.pipelines) {
      const Pipeline& pipeline = plan.pipelines[static_cast<std::size_t>(index)];
      moved += traffic(pipeline.program, pipeline.program.size());
      what = std::max(what, class_of(pipeline.program, false));
    }
    context_.in_place = plan.in_place;
    // Ordinary stores pull each line into the cache first; where it does not stay there that is wasted.
    context_.streaming_stores =
        memory_opt_enabled() && !context_.in_place && walk_.output_bytes == 0 && streams_stores(moved, what);
  }

  /// Bytes that the calling thread takes for its worker.
  std::int64_t scratch_bytes() const { return runners_[0]->state_bytes(1); }

  void run() {
    measure::add(measure::Counter::k_passes, 1);
    ReadAhead reader(walk_.streams, walk_.depth, kReaders);
    WriteBehind writer(std::max(walk_.depth - 1, 1), walk_.output_bytes > 0 ? kWriters : 0);
    bind();
    bring_in();
    for (std::int64_t t = 0; t < walk_.tiles(); ++t) {
      monitor_.tick();
      if (!walk_.streams.empty()) rebase(reader.wait(t, monitor_), t);
      if (!walk_.turned.empty()) turn_tile(walk_.tile(t));
      for (std::size_t i = 0; i < runners_.size(); ++i) feed(i, walk_.tile(t), writer);
      if (!walk_.streams.empty()) reader.release(t);
      drop_behind(t);
      monitor_.add((walk_.source_bytes + walk_.output_bytes) / walk_.tiles());
      measure::add(measure::Counter::k_tiles, 1);
    }
    writer.finish(monitor_);
    for (const auto& runner : runners_) runner->finish();
    for (const FileOperand& each : walk_.files) operand(each).file->check_unchanged();
    for (const FileOperand& each : walk_.files) {
      const ByteRange range = byte_range(reads(each), size_of(operand(each).dtype));
      measure::add(each.stream < 0 ? measure::Counter::k_bytes_mapped : measure::Counter::k_bytes_read, range.size());
    }
  }

 private:
  const Pipeline& pipeline(std::size_t i) const {
    return plan_.pipelines[static_cast<std::size_t>(pass_.pipelines[i])];
  }
  const Operand& operand(const FileOperand& each) const {
    return pipeline(static_cast<std::size_t>(each.pipeline)).program.operands[static_cast<std::size_t>(each.operand)];
  }
  const Layout& reads(const FileOperand& each) const {
    return pipeline(static_cast<std::size_t>(each.pipeline)).reads[static_cast<std::size_t>(each.operand)];
  }

  void bind() {
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      Bases bases;
      for (const Operand& each : pipeline(i).program.operands) {
        const std::byte* base = nullptr;
        if (each.kind == Operand::Kind::kMemory) base = each.memory->data();
        if (each.kind == Operand::Kind::kTarget)
          base = plan_.targets[static_cast<std::size_t>(each.target)].destination.memory->data();
        if (each.kind == Operand::Kind::kFile) base = each.file->mapping().data();
        bases.push_back(base);
      }
      bases_.push_back(std::move(bases));
    }
  }

  /// Streamed operands find byte 0 of their layout where it would be if the whole file were in memory.
  void rebase(const std::vector<store::FileBytes>& bytes, std::int64_t tile) {
    for (const FileOperand& each : walk_.files) {
      if (each.stream < 0) continue;
      const auto s = static_cast<std::size_t>(each.stream);
      const std::int64_t begin = walk_.streams[s].tiles[static_cast<std::size_t>(tile)].begin;
      bases_[static_cast<std::size_t>(each.pipeline)][static_cast<std::size_t>(each.operand)] = bytes[s].data - begin;
    }
  }

  /// Turned files of which every tile needs a part of every page are read once, in order, as far as the page cache can
  /// be expected to keep them.
  void bring_in() {
    for (const FileOperand& each : walk_.files) {
      if (each.turned < 0 || !walk_.turned[static_cast<std::size_t>(each.turned)].cacheable) continue;
      const auto& file = operand(each).file;
      const ByteRange all = byte_range(reads(each), size_of(operand(each).dtype));
      if (file->mapping().residency(all.begin, all.end) > 0.9) continue;
      const std::int64_t piece = piece_to_bring();
      if (piece == 0) return;
      Stream stream{file, store::ReadMode::kBuffered, {}};
      for (std::int64_t at = all.begin; at < all.end; at += piece)
        stream.tiles.push_back({at, std::min(at + piece, all.end)});
      const auto pieces = static_cast<std::int64_t>(stream.tiles.size());
      ReadAhead reader({std::move(stream)}, kBringDepth, 2);
      for (std::int64_t i = 0; i < pieces; ++i) {
        reader.wait(i, monitor_);
        reader.release(i);
      }
    }
  }

  /// Bytes of a piece of which kBringDepth find room where the turned tiles are to lie; 0 when that is too little.
  std::int64_t piece_to_bring() const {
    constexpr std::int64_t kLeast = 4096;
    std::int64_t piece = walk_.tile_turned / kBringDepth;
    while (piece >= kLeast && kBringDepth * memory::pool_capacity(piece) > walk_.tile_turned) piece /= 2;
    return piece >= kLeast ? piece : 0;
  }

  /// Turned operands find their tile in the order of the walk.
  void turn_tile(Units units) {
    turned_.resize(walk_.turned.size());
    std::vector<bool> done(walk_.turned.size(), false);
    for (const FileOperand& each : walk_.files) {
      if (each.turned < 0) continue;
      const auto t = static_cast<std::size_t>(each.turned);
      const auto& [file, how, cacheable] = walk_.turned[t];
      const Stretch stretch = runners_[static_cast<std::size_t>(each.pipeline)]->walked(units);
      if (!done[t]) {
        const std::int64_t bytes = how.bytes(stretch);
        if (turned_[t].size() < bytes) {
          turned_[t] = {};
          turned_[t] = memory::Buffer::allocate(bytes, "tile of a transposed operand");
        }
        const measure::Span span(measure::Step::k_transpose);
        turn(how, stretch, file->mapping().data(), turned_[t].data(), context_);
        done[t] = true;
      }
      bases_[static_cast<std::size_t>(each.pipeline)][static_cast<std::size_t>(each.operand)] =
          turned_[t].data() - how.start(stretch.begin);
    }
  }

  void feed(std::size_t i, Units units, WriteBehind& writer) {
    const Pipeline& p = pipeline(i);
    std::vector<std::byte*> into(p.targets.size(), nullptr);
    std::vector<std::shared_ptr<memory::Buffer>> buffers(p.targets.size());
    const Stretch stretch = runners_[i]->stretch(units);
    for (std::size_t k = 0; k < p.targets.size(); ++k) {
      if (!p.parts[k].in_file() || p.work != Work::kStore) continue;
      const std::int64_t size = size_of(p.program.values[static_cast<std::size_t>(p.program.outputs[k])]);
      buffers[k] = std::make_shared<memory::Buffer>(
          memory::Buffer::allocate((stretch.end - stretch.begin) * size, "tile of an output"));
      into[k] = buffers[k]->data();
    }
    {
      const measure::Span span(measure::Step::k_compute);
      runners_[i]->feed(units, bases_[i], into, context_);
    }
    for (std::size_t k = 0; k < p.targets.size(); ++k) {
      if (!buffers[k]) continue;
      const std::int64_t size = size_of(p.program.values[static_cast<std::size_t>(p.program.outputs[k])]);
      writer.push([part = p.parts[k], buffer = buffers[k], stretch, size] { write_part(part, *buffer, stretch, size); },
                  monitor_);
      buffers[k] = nullptr;
    }
  }

  /// Pages of mapped files that the walk has left behind are unmapped, window by window.
  void drop_behind(std::int64_t tile) {
    constexpr std::int64_t kWindow = 64 << 20;
    drop_scratch(tile, kWindow);
    for (const FileOperand& each : walk_.files) {
      if (each.stream >= 0 || each.turned >= 0) continue;
      const Stretch stretch = runners_[static_cast<std::size_t>(each.pipeline)]->stretch(walk_.tile(tile));
      const std::int64_t size = size_of(operand(each).dtype);
      const ByteRange range = hull(reads(each), size, stretch);
      // A tile that touches most of the file says nothing about what is behind.
      if (range.size() > byte_range(reads(each), size).size() / 2) continue;
      std::int64_t& dropped = dropped_[operand(each).file.get()];
      if (range.begin - dropped < kWindow) continue;
      operand(each).file->mapping().drop(dropped, range.begin);
      dropped = range.begin;
    }
  }

  /// The same for reductions that end in scratch files.
  void drop_scratch(std::int64_t tile, std::int64_t window) const {
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      for (const int target : pipeline(i).targets) {
        const Destination& to = plan_.targets[static_cast<std::size_t>(target)].destination;
        if (!to.scratch || !to.memory) continue;
        const std::int64_t each = to.scratch->size() / walk_.tiles();
        if (tile * each / window != (tile + 1) * each / window) to.scratch->drop_mapped();
      }
    }
  }

  static constexpr int kBringDepth = 3;

  const Plan& plan_;
  const Pass& pass_;
  Monitor& monitor_;
  PassContext context_;
  Runners runners_;
  PassPlan walk_;
  std::vector<Bases> bases_;
  std::vector<memory::Buffer> turned_;  // the present tile of each turned file
  std::map<const store::FileSource*, std::int64_t> dropped_;
};

void check_budget(const Plan& plan) {
  memory::Governor& governor = memory::Governor::instance();
  const std::int64_t need = plan.held_bytes();
  if (need <= governor.available()) return;
  throw BudgetError(cat("the result needs ", bytes_text(need), "; ", bytes_text(governor.available()),
                        " of the memory budget of ", bytes_text(governor.budget()),
                        " is free. Save it to a file instead (ps.save(x, \"out.npy\"), penstock eval "
                        "-o out.npy), evaluate a part of it, or raise the budget (PENSTOCK_MEMORY, ps.memory_budget)"));
}

/// Bytes a pass takes at least beside the results.
std::int64_t need_of(const Plan& plan, const Pass& pass, std::int64_t available) {
  return plan_pass(plan, pass, make_runners(plan, pass, kernel::table()), available, thread::count()).bytes();
}

struct Fit {
  std::vector<Pass> passes;
  std::int64_t need = 0;  // of the pass that needs most
};

/// Takes passes apart whose pipelines do not fit side by side.
Fit fit_passes(const Plan& plan, std::int64_t available) {
  Fit fit;
  for (const Pass& pass : plan.passes) {
    const std::int64_t need = need_of(plan, pass, available);
    if (need <= available || pass.pipelines.size() == 1) {
      fit.passes.push_back(pass);
      fit.need = std::max(fit.need, need);
      continue;
    }
    for (const int pipeline : pass.pipelines) {
      const Pass alone{{pipeline}, pass.wave, 1, false};
      fit.need = std::max(fit.need, need_of(plan, alone, available));
      fit.passes.push_back(alone);
    }
  }
  return fit;
}

/// Makes the plan fit the budget: intermediates go to scratch files, the largest first, passes are taken apart. What
/// does not fit then is refused before any work; `what_if`: is left as it would have to be.
void fit_budget(Plan& plan, bool what_if) {
  // Tests of tiling see small plans only.
  const std::int64_t worth_looking = env(Env::kDEBUG_OUTER) ? 0 : 1 << 20;
  if (plan.source_bytes() + plan.output_bytes() + plan.result_bytes() < worth_looking) return;
  const std::int64_t free = memory::Governor::instance().available();
  while (true) {
    const std::int64_t available = free - plan.held_bytes();
    if (available >= 0) {
      Fit fit = fit_passes(plan, available);
      const bool fits = fit.need <= available;
      if (fits || !spill_largest(plan)) {
        if (!fits && !what_if) refuse(fit.need, available);
        plan.passes = std::move(fit.passes);
        return;
      }
    } else if (!spill_largest(plan)) {
      if (!what_if) check_budget(plan);
      return;
    }
  }
}

/// What somebody asked to hold stays in memory.
Keep keep_of(const graph::Node& node, const std::vector<Request>& requests) {
  const bool held = std::any_of(requests.begin(), requests.end(), [&](const Request& request) {
    return request.node.get() == &node && request.destination.kind == Kind::kNode;
  });
  return held ? Keep::kInMemory : Keep::kAnywhere;
}

/// A plan whose targets nobody else computes meanwhile.
class ClaimedPlan {
 public:
  ClaimedPlan(const std::vector<Request>& requests, const Options& options, Monitor& monitor) {
    std::vector<Plan> outdated;  // what they hold is let go of without the lock
    std::unique_lock lock(graph::graph_mutex());
    while (true) {
      outdated.push_back(std::exchange(plan_, make_plan(requests)));
      if (const graph::NodeRef node = pending_operator(plan_)) {
        outdated.push_back(std::exchange(plan_, {}));
        lock.unlock();
        outdated.clear();
        operate(node, options, keep_of(*node, requests));
        lock.lock();
        continue;
      }
      const auto busy = [&] {
        return is_rewritten(plan_) || std::any_of(plan_.targets.begin(), plan_.targets.end(), [](const Target& target) {
                 return target.destination.kind == Kind::kNode && is_claimed(*target.node);
               });
      };
      if (!busy()) break;
      for (const Target& target : plan_.targets) Claims::refuse_own(*target.node);
      while (busy()) {
        wait_for_claims(lock);
        lock.unlock();
        monitor.tick();
        lock.lock();
      }
    }
    for (const Target& target : plan_.targets) {
      if (target.destination.kind == Kind::kNode) claims_.add(target.node);
    }
    donate(plan_, donation_);
  }

  Plan& plan() { return plan_; }
  Donation& donation() { return donation_; }

  /// Nodes take their results and drop their inputs.
  void publish() {
    std::vector<graph::NodeRef> dropped;  // destroyed after the lock is gone
    const std::lock_guard lock(graph::graph_mutex());
    donation_.end();
    for (Target& target : plan_.targets) {
      // A leaf laid out for a reshape stays what it is.
      if (target.destination.kind != Kind::kNode || (target.node->inputs.empty() && !target.requested)) continue;
      run::publish(*target.node, {target.destination.memory, target.destination.layout}, dropped);
    }
  }

 private:
  Plan plan_;
  Claims claims_;
  Donation donation_;
};

void allocate_results(Plan& plan) {
  for (Target& target : plan.targets) {
    if (!target.is_fresh()) continue;
    target.destination.memory = memory::share(memory::Buffer::allocate(target.node->bytes(), "the result"));
    const bool computed = std::any_of(plan.pipelines.begin(), plan.pipelines.end(), [&](const Pipeline& p) {
      return p.program.size() > 0 && std::any_of(p.targets.begin(), p.targets.end(), [&](int t) {
               return &plan.targets[static_cast<std::size_t>(t)] == &target;
             });
    });
    if (!computed) fill_empty(target);
  }
}

}  // namespace

void evaluate(const std::vector<Request>& requests, const Options& options) {
  if (requests.size() == 1 && evaluate_directly(requests[0], options)) return;
  if (operate_directly(requests, options)) return;
  measure::Span evaluation(measure::Step::k_evaluate);
  measure::Span planning(measure::Step::k_plan);
  Monitor waiting(options, 0);
  ClaimedPlan claimed(requests, options, waiting);
  Plan& plan = claimed.plan();
  if (plan.targets.empty()) {
    planning.cancel();
    evaluation.cancel();
    return;
  }
  fit_budget(plan, false);
  check_budget(plan);
  planning.end();
  create_scratch(plan);
  measure::add(measure::Counter::k_evaluations, 1);
  allocate_results(plan);
  waiting.tick();
  const Options unstoppable;
  Monitor monitor(plan.in_place ? unstoppable : options, plan.source_bytes() + plan.output_bytes());
  for (const Pass& pass : plan.passes) {
    finish_scratch(plan, pass);
    PassRun run(plan, pass, memory::Governor::instance().available(), monitor);
    // With that at hand nothing stops this thread once it has begun to write over an operand.
    const memory::Arena::Scope scratch(plan.in_place ? run.scratch_bytes() : 0);
    if (plan.in_place) check_delay_setting();
    if (plan.in_place) claimed.donation().begin();
    run.run();
  }
  claimed.publish();
  if (plan.in_place) waiting.tick();  // a stop that was asked for meanwhile
}

namespace {

PlanReport::Pass report_pass(const Plan& plan, const Pass& pass, std::int64_t available) {
  const Runners runners = make_runners(plan, pass, kernel::table());
  const PassPlan walk = plan_pass(plan, pass, runners, available, thread::count());
  PlanReport::Pass report{pass.wave, {}, walk.units, walk.step, walk.tile_in + walk.tile_out, walk.depth, {}};
  for (const int index : pass.pipelines) {
    const Pipeline& pipeline = plan.pipelines[static_cast<std::size_t>(index)];
    static constexpr const char* kWork[] = {"store", "fold", "count"};
    PlanReport::Pipeline one;
    one.work = kWork[static_cast<int>(pipeline.work)];
    one.shape = pipeline.natural;
    one.program = program_text(pipeline.program);
    one.tile = runners[report.pipelines.size()]->tile();
    for (const int target : pipeline.targets) {
      const graph::Node& node = *plan.targets[static_cast<std::size_t>(target)].node;
      one.outputs.push_back(cat(graph::node_text(node), ": ", name_of(node.dtype), " ", shape_text(node.shape)));
    }
    for (const Operand& operand : pipeline.program.operands) {
      if (operand.kind == Operand::Kind::kFile) one.sources.push_back(operand.file->path());
      if (operand.kind == Operand::Kind::kMemory) one.sources.emplace_back("memory");
      if (operand.kind == Operand::Kind::kTarget) one.sources.push_back(cat("result ", operand.target));
    }
    report.pipelines.push_back(std::move(one));
  }
  for (const auto& file : walk.mapped) {
    const auto turned = [&](const TurnedFile& each) { return each.file == file; };
    const bool turns = std::any_of(walk.turned.begin(), walk.turned.end(), turned);
    report.reads.push_back(cat(file->path(), turns ? ": mapped, transposed by tiles" : ": mapped"));
  }
  for (const Stream& stream : walk.streams) {
    report.reads.push_back(cat(stream.file->path(), stream.mode == store::ReadMode::kDirect
                                                        ? ": read ahead, direct"
                                                        : ": read ahead, buffered"));
  }
  return report;
}

/// Operators are computed before the passes, each by itself.
void report_operators(const Plan& plan, PlanReport& report) {
  for (const Target& target : plan.targets) {
    if (target.destination.kind != Kind::kNode || !target.node->as<graph::Operate>()) continue;
    PlanReport::Pipeline one;
    one.work = "operate";
    one.shape = target.node->shape;
    one.program = graph::node_text(*target.node);
    one.outputs = {cat(one.program, ": ", name_of(target.node->dtype), " ", shape_text(one.shape))};
    for (const graph::NodeRef& input : target.node->inputs)
      one.sources.push_back(cat(graph::node_text(*input), " ", shape_text(input->shape)));
    report.passes.push_back({0, {std::move(one)}, 1, 1, 0, 0, {}});
  }
}

}  // namespace

PlanReport explain(const std::vector<Request>& requests) {
  const std::lock_guard lock(graph::graph_mutex());
  Plan plan = make_plan(requests);
  memory::Governor& governor = memory::Governor::instance();
  PlanReport report;
  report.source_bytes = plan.source_bytes();
  report.budget = governor.budget();
  report.available = governor.available();
  report.target = simd::target_name(simd::target());
  report.level = level_name(get_level());
  report.threads = thread::count();
  fit_budget(plan, true);
  report.result_bytes = plan.result_bytes();
  report.scratch_bytes = plan.scratch_bytes();
  if (report.scratch_bytes > 0) report.scratch_directory = scratch_directory(plan);
  const std::int64_t left = std::max<std::int64_t>(0, report.available - plan.held_bytes());
  std::int64_t most = 0;
  report_operators(plan, report);
  for (const Pass& pass : plan.passes) {
    report.passes.push_back(report_pass(plan, pass, left));
    most = std::max(most, need_of(plan, pass, left));
  }
  report.projected_bytes = plan.held_bytes() + most;
  report.fits = report.projected_bytes <= report.available;
  return report;
}

}  // namespace penstock::run
