// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/direct.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/arena.h"
#include "penstock/run/calculation.h"
#include "penstock/run/claim.h"
#include "penstock/run/fold.h"
#include "penstock/run/one_call.h"
#include "penstock/run/packed.h"
#include "penstock/run/runner.h"
#include "penstock/run/tile.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kLeastShare = 4096;  // elements
constexpr std::int64_t kBlock = 2048;       // elements between a loop and the fold behind it

/// Elements, of so many bytes of operands and results, that a worker takes at once: all, or a power of two. At least
/// four shares for each of several, so that they end together, and so few elements that Ctrl-C is heard within
/// milliseconds.
std::int64_t share_of(std::int64_t n, std::int64_t bytes, int workers, std::int64_t cost) {
  const auto power = [](std::int64_t x) {
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(x)));
  };
  constexpr std::int64_t kMostShares = 1024;
  constexpr std::int64_t kUsual = 4;  // bytes of an element: of smaller ones as many more are as far to read
  const std::int64_t chunk = kChunk * std::max<std::int64_t>(kUsual / std::max<std::int64_t>(bytes, 1), 1);
  const std::int64_t most = std::max(std::min(chunk, power(16 * kChunk / cost)), power(n / kMostShares + 1));
  if (workers == 1) return n <= 4 * most ? n : most;
  return std::clamp(power(n / (4 * workers) + 1), kLeastShare, most);
}

class Work {
 public:
  /// `n` elements, each of which moves `bytes`. What is packed is moved twice.
  Work(const Calculation& calculation, std::int64_t n, std::int64_t bytes, OpClass what, Monitor& monitor)
      : n_(n),
        workers_(workers_for(n * (bytes + calculation.bytes_packed()), thread::count(), what)),
        share_(share_of(n, bytes, workers_, calculation.cost())),
        bytes_(bytes),
        monitor_(monitor) {}

  std::int64_t share() const { return share_; }
  std::int64_t shares() const { return (n_ + share_ - 1) / share_; }

  /// body(share, first, elements) for each share.
  template <class Body>
  void run(const Body& body) const {
    const auto one = [&](std::int64_t i) {
      const std::int64_t some = std::min(share_, n_ - i * share_);
      body(i, i * share_, some);
      monitor_.add(some * bytes_);
    };
    if (shares() == 1) {
      monitor_.tick();
      return one(0);
    }
    PassContext context;
    context.monitor = &monitor_;
    context.share(shares(), workers_, [&](const auto& claim) {
      for (std::int64_t i = claim(); i >= 0; i = claim()) one(i);
    });
  }

 private:
  std::int64_t n_;
  int workers_;
  std::int64_t share_;
  std::int64_t bytes_;
  Monitor& monitor_;
};

/// Where results go: the first, and bytes from each to the next.
struct Place {
  std::byte* first = nullptr;
  std::int64_t step = 0;
};

/// Elements in steps, by way of a block that stays in the cache.
void store_apart(const Calculation& calculation, std::int64_t first, std::int64_t n, const Place& to,
                 const kernel::Table& table) {
  alignas(64) std::byte block[kBlock * 16];
  for (const std::int64_t end = first + n; first < end; first += kBlock) {
    const std::int64_t some = std::min(kBlock, end - first);
    calculation.run(first, some, block, false);
    table.unpack[log2_size(calculation.dtype())](block, to.first + first * to.step, to.step, some);
  }
}

void store(const Calculation& calculation, std::int64_t n, const Place& to, bool in_place, const kernel::Table& table,
           Monitor& monitor) {
  const std::int64_t size = size_of(calculation.dtype());
  const bool apart = to.step != size;
  const std::int64_t bytes = calculation.bytes_read() + size;
  const OpClass what = calculation.cost() > 1 ? OpClass::kMaths : OpClass::kArithmetic;
  // An operand's lines are in the cache when they are written over.
  const bool streams = memory_opt_enabled() && !in_place && !apart && streams_stores(n * bytes, what);
  Work(calculation, n, bytes, what, monitor).run([&](std::int64_t, std::int64_t first, std::int64_t some) {
    if (apart) return store_apart(calculation, first, some, to, table);
    calculation.run(first, some, to.first + first * size, streams);
    if (streams) table.fence();
  });
}

void fold_some(const Calculation& calculation, std::int64_t first, std::int64_t n, std::int64_t channels, Core& core) {
  const std::int64_t size = size_of(calculation.dtype());
  if (const std::byte* plain = calculation.plain()) {
    core.fold(plain + first * size, n * channels);
    return;
  }
  alignas(64) std::byte block[kBlock * 16];
  for (const std::int64_t end = first + n; first < end; first += kBlock) {
    const std::int64_t some = std::min(kBlock, end - first);
    calculation.run(first, some, block, false);
    core.fold(block, some * channels);
  }
}

/// The tree of run/fold.h, each share a part of it.
void fold(const Calculation& calculation, Reduction reduction, std::int64_t n, std::byte* out,
          const kernel::Table& table, Monitor& monitor) {
  CoreShape shape = core_of_run(reduction, calculation.dtype(), n, table);
  const OpClass what = calculation.cost() > 1 ? OpClass::kMaths : OpClass::kReduction;
  const Work work(calculation, n, calculation.bytes_read(), what, monitor);
  // Where order does not matter a share is a single node.
  shape.most_nodes = std::max(shape.most_nodes, NodeStack::entries_for(work.shares()));
  PENSTOCK_CHECK(shape.leaf == kOneLeaf || work.shares() == 1 || work.share() % shape.leaf == 0);
  const std::int64_t bytes = work.shares() * shape.bytes();
  const memory::Arena::Scope scope(bytes);
  auto* storage = static_cast<std::byte*>(memory::Arena::local().allocate(static_cast<std::size_t>(bytes), 64));
  std::vector<Core> cores;
  cores.reserve(static_cast<std::size_t>(work.shares()));
  for (std::int64_t i = 0; i < work.shares(); ++i)
    cores.emplace_back(shape, storage + i * shape.bytes(), i * work.share());
  work.run([&](std::int64_t i, std::int64_t first, std::int64_t some) {
    fold_some(calculation, first, some, shape.channels, cores[static_cast<std::size_t>(i)]);
  });
  for (std::size_t i = 1; i < cores.size(); ++i) cores[0].append(cores[i]);
  cores[0].close_into(out);
}

/// The expression that the node's elements are calculated from: its own, or the one that it reduces to one value.
const graph::Node* expression_of(const graph::Node& node) {
  if (node.as<graph::Elementwise>()) return &node;
  return node.as<graph::Reduce>() && node.size() == 1 ? node.inputs[0].get() : nullptr;
}

bool tests_tiles() { return env(Env::kDEBUG_TILE) || env(Env::kDEBUG_OUTER); }

/// What is known of a request after a look at it under the lock.
struct Prepared {
  Calculation calculation;
  std::optional<Reduction> reduction;
  Donation donation;
  std::int64_t n = 0;  // elements calculated
};

using Found = Calculation::Found;

/// Reads the request and claims its node. The caller holds graph_mutex().
Found prepare(const Request& request, std::int64_t most, Prepared& prepared, Claims& claims) {
  const graph::Node& node = *request.node;
  const bool to_node = request.destination.kind == Destination::Kind::kNode;
  const graph::Node* expression = expression_of(node);
  if (expression == nullptr || is_claimed(node)) return Found::kOther;
  prepared.n = expression->size();
  if (prepared.n == 0 || prepared.n > most) return Found::kOther;
  const Found found = prepared.calculation.read(*expression);
  if (found != Found::kReady) return found;
  if (prepared.n > most / prepared.calculation.operations()) return Found::kOther;
  if (const auto* reduce = node.as<graph::Reduce>()) prepared.reduction = reduce->reduction;
  if (to_node && !prepared.reduction) prepared.calculation.donate(node, prepared.donation);
  if (to_node && !prepared.donation && !has_room_beside_states(node)) return Found::kOther;
  if (to_node) claims.add(request.node);
  return Found::kReady;
}

/// Where a result goes that is not the node's own: nowhere when no one step leads from each element to the next, or
/// when it is still read.
Place place_of(const Request& request, const Prepared& prepared) {
  const Destination& to = request.destination;
  const std::int64_t size = size_of(request.node->dtype);
  if (to.kind != Destination::Kind::kMemory || prepared.reduction) return {};
  const Layout walk = coalesce(to.layout);
  const Place place{to.memory->data() + walk.offset, prepared.n == 1 ? size : walk.strides.back()};
  const bool aligned = is_aligned(reinterpret_cast<std::uintptr_t>(place.first), size) && place.step % size == 0;
  const bool fits = aligned && walk.shape.size() == 1 && place.step != 0;
  return fits && !prepared.calculation.clashes_with(place.first, prepared.n, place.step) ? place : Place{};
}

void compute(const Prepared& prepared, const Place& to, const kernel::Table& table, const Options& options) {
  Monitor monitor(options, prepared.n * prepared.calculation.bytes_read());
  if (prepared.reduction)
    fold(prepared.calculation, *prepared.reduction, prepared.n, to.first, table, monitor);
  else
    store(prepared.calculation, prepared.n, to, bool{prepared.donation}, table, monitor);
  const std::int64_t packed = prepared.calculation.bytes_packed();
  count_one_tile(prepared.n * (prepared.calculation.bytes_read() - packed), prepared.n * packed);
}

/// Computes the node over an operand, or into fresh memory, and has it take that.
void compute_node(graph::Node& node, Prepared& prepared, const kernel::Table& table, const Options& options) {
  Donation& donation = prepared.donation;
  Monitor waiting(options, 0);
  waiting.tick();
  std::shared_ptr<memory::Memory> result =
      donation ? donation.memory() : memory::share(memory::Buffer::allocate(node.bytes(), "the result"));
  const bool in_place{donation};
  const Options unstoppable;
  if (in_place) check_delay_setting();
  if (in_place) donation.begin();
  compute(prepared, {result->data(), size_of(node.dtype)}, table, in_place ? unstoppable : options);
  {
    std::vector<graph::NodeRef> dropped;  // destroyed after the lock is gone
    const std::lock_guard lock(graph::graph_mutex());
    donation.end();
    publish(node, {std::move(result), contiguous(node.shape, size_of(node.dtype))}, dropped);
  }
  if (in_place) waiting.tick();  // a stop that was asked for meanwhile
}

}  // namespace

bool evaluate_directly(const Request& request, const Options& options, std::int64_t most) {
  const bool to_node = request.destination.kind == Destination::Kind::kNode;
  if ((!to_node && request.destination.kind != Destination::Kind::kMemory) || tests_tiles()) return false;
  measure::Span evaluation(measure::Step::k_evaluate);
  measure::Span planning(measure::Step::k_plan);
  const OneCall one = evaluate_in_one_call(request, most, planning);
  if (one == OneCall::kDone) return true;
  const auto leave = [&] {
    planning.cancel();
    evaluation.cancel();
    return false;
  };
  if (one == OneCall::kTooMuch) return leave();
  std::optional<Prepared> prepared;
  Claims claims;
  Found found;
  while (true) {
    prepared.emplace();  // what it held is let go of without the lock
    {
      const std::lock_guard lock(graph::graph_mutex());
      found = prepare(request, most, *prepared, claims);
    }
    if (found != Found::kNeeds) break;
    if (!evaluate_directly({prepared->calculation.needed(), {}}, options, most)) {
      found = Found::kOther;
      break;
    }
    if (evaluate_in_one_call(request, most, planning) == OneCall::kDone) return true;
  }
  const kernel::Table& table = kernel::table();
  const Place place = to_node || found == Found::kOther ? Place{} : place_of(request, *prepared);
  if (found == Found::kOther || (!to_node && place.first == nullptr) || !prepared->calculation.make_loop(table))
    return leave();
  planning.end();
  const measure::Span computing(measure::Step::k_compute);
  if (!to_node) {
    compute(*prepared, place, table, options);
    return true;
  }
  compute_node(*request.node, *prepared, table, options);
  return true;
}

}  // namespace penstock::run
