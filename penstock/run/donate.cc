// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/donate.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include "penstock/base/error.h"
#include "penstock/base/fork.h"
#include "penstock/base/level.h"
#include "penstock/measure/counters.h"
#include "penstock/run/claim.h"
#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kLeast = 64 << 10;  // bytes: threads have smaller ones at hand
// What cannot be stopped, by Ctrl-C neither, is over within some hundred milliseconds.
constexpr std::int64_t kMostBytes = 1 << 30;
constexpr std::int64_t kMostOperations = 1 << 29;
constexpr std::size_t kMostNodes = 64;
constexpr int kLost = std::numeric_limits<int>::min();

/// What an expression's nodes are to each other: how often each is an input of another one, and whether anybody outside
/// leads to it.
class Walk {
 public:
  /// Looks at all that `root` leads to; false where that is too much.
  bool over(const graph::Node& root) {
    entries_[0] = {&root, 0, false};
    count_ = 1;
    for (std::size_t i = 0; i < count_; ++i) {
      for (const graph::NodeRef& input : entries_[i].node->inputs) {
        Entry* entry = find(input.get());
        if (entry == nullptr) {
          if (count_ == kMostNodes) return false;
          entry = &entries_[count_++];
          *entry = {input.get(), 0, false};
        }
        ++entry->uses;
        entry->holders = input.use_count();
      }
    }
    for (std::size_t i = 1; i < count_; ++i) {
      if (entries_[i].holders != entries_[i].uses) open(entries_[i]);
    }
    return true;
  }

  /// The node over `memory`, if only the root leads to it.
  const graph::Node* sole_leaf(const memory::Memory* memory) const {
    for (std::size_t i = 1; i < count_; ++i) {
      const auto* in = entries_[i].node->as<graph::InMemory>();
      if (in != nullptr && in->memory.get() == memory) return entries_[i].open ? nullptr : entries_[i].node;
    }
    return nullptr;
  }

 private:
  struct Entry {
    const graph::Node* node = nullptr;
    long uses = 0;      // as an input of nodes of this expression
    bool open = false;  // somebody else leads to it
    long holders = 0;
  };

  Entry* find(const graph::Node* node) {
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto found = std::find_if(entries_.begin(), end, [&](const Entry& each) { return each.node == node; });
    return found == end ? nullptr : &*found;
  }

  /// And with it all that it leads to.
  void open(Entry& entry) {
    std::array<Entry*, kMostNodes> stack{&entry};
    entry.open = true;
    for (std::size_t n = 1; n > 0;) {
      for (const graph::NodeRef& input : stack[--n]->node->inputs) {
        Entry* next = find(input.get());
        if (next->open) continue;
        next->open = true;
        stack[n++] = next;
      }
    }
  }

  std::array<Entry, kMostNodes> entries_;
  std::size_t count_ = 0;
};

bool only_memory(const Program& program) {
  return std::all_of(program.operands.begin(), program.operands.end(), [](const Operand& operand) {
    return operand.kind != Operand::Kind::kFile && operand.kind != Operand::Kind::kTarget;
  });
}

bool same(const Layout& a, const Layout& b) {
  return a.offset == b.offset && a.shape == b.shape && a.strides == b.strides;
}

void donate(Target& target, const Destination& part, const Program& program, Donation& donation) {
  const std::int64_t size = size_of(target.node->dtype);
  if (!target.requested || target.destination.kind != Destination::Kind::kNode ||
      !same(part.layout, contiguous(program.shape, size)))
    return;
  for (const Operand& operand : program.operands) {
    if (operand.kind != Operand::Kind::kMemory || operand.swapped || size_of(operand.dtype) != size ||
        !same(operand.layout, part.layout) || !donation.take(*target.node, operand.memory, cost_of(program)))
      continue;
    target.destination.memory = operand.memory;
    return;
  }
}

}  // namespace

Donation::~Donation() {
  if (taken_.empty()) return;
  {
    const std::lock_guard lock(graph::graph_mutex());
    for (const auto& memory : taken_) memory->rewritten = begun_ ? kLost : 0;
    if (begun_) graph::end_rewrite();
  }
  notify_claims();
}

bool Donation::take(const graph::Node& root, const std::shared_ptr<memory::Memory>& memory, std::int64_t operations) {
  const std::int64_t bytes = root.bytes();
  // Held by its node and by the caller.
  if (!memory_opt_enabled() || bytes < kLeast || bytes > kMostBytes || root.size() * operations > kMostOperations ||
      memory->owned_bytes() != bytes || memory.use_count() != 2)
    return false;
  Walk walk;
  const graph::Node* leaf = walk.over(root) ? walk.sole_leaf(memory.get()) : nullptr;
  if (leaf == nullptr || leaf->bytes() != bytes) return false;
  // What former holders of the node and of the memory read comes before what is written now.
  std::atomic_thread_fence(std::memory_order_acquire);
  taken_.push_back(memory);
  memory->rewritten = fork_generation();
  return true;
}

void Donation::begin() {
  std::unique_lock lock(graph::graph_mutex());
  while (!graph::begin_rewrite()) {
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    lock.lock();
  }
  begun_ = true;
  for (const auto& memory : taken_) memory->rewritten = -fork_generation();
}

void Donation::end() {
  if (taken_.empty()) return;
  for (const auto& memory : taken_) memory->rewritten = 0;
  if (begun_) graph::end_rewrite();
  measure::add(measure::Counter::k_donations, std::ssize(taken_));
  taken_.clear();
}

void donate(Plan& plan, Donation& donation) {
  if (plan.pipelines.size() != 1 || plan.passes.size() != 1) return;
  const Pipeline& pipeline = plan.pipelines[0];
  if (pipeline.work != Work::kStore || !only_memory(pipeline.program) || pipeline.program.instructions.empty()) return;
  for (std::size_t k = 0; k < pipeline.targets.size(); ++k)
    donate(plan.targets[static_cast<std::size_t>(pipeline.targets[k])], pipeline.parts[k], pipeline.program, donation);
  plan.in_place = bool{donation};
}

bool is_rewritten(const memory::Memory& memory) {
  if (memory.rewritten == 0) return false;
  if (std::abs(static_cast<std::int64_t>(memory.rewritten)) == fork_generation()) return true;
  if (memory.rewritten > 0) return false;  // a parent had not yet begun
  throw InternalError("an operand was overwritten by an evaluation that did not end; compute it again");
}

bool is_rewritten(const Plan& plan) {
  for (const Pipeline& pipeline : plan.pipelines) {
    for (const Operand& operand : pipeline.program.operands) {
      if (operand.kind == Operand::Kind::kMemory && is_rewritten(*operand.memory)) return true;
    }
  }
  return false;
}

}  // namespace penstock::run
