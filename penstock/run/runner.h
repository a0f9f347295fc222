// SPDX-License-Identifier: Apache-2.0
// A pipeline at work: it is fed consecutive stretches of its walk and leaves its targets computed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "penstock/kernel/table.h"
#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"
#include "penstock/run/tile.h"
#include "penstock/run/tuning.h"

namespace penstock::run {

/// Units [begin, end) of a pass.
struct Units {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Throws ArgumentError where PENSTOCK_DEBUG_DELAY means nothing, which an evaluation must know before it begins to
/// write over an operand.
void check_delay_setting();

/// What a pass lends its runners.
struct PassContext {
  const kernel::Table* table = nullptr;
  int threads = 1;
  Monitor* monitor = nullptr;
  bool streaming_stores = false;                           // results are too large to be read from the cache again
  bool in_place = false;                                   // workers without scratch leave their work to the others
  std::vector<std::shared_ptr<store::FileSource>> mapped;  // files read through a mapping: kernels run guarded

  /// Runs body(context) so that a truncated mapping becomes an error.
  void guarded(void (*body)(void*), void* context) const;

  /// Items [0, n) claimed by `workers` threads. `work` is called once a worker with a function that gives the next
  /// item, or -1 when there is none left; between items the evaluation can be stopped.
  void share(std::int64_t n, int workers, const std::function<void(const std::function<std::int64_t()>&)>& work) const;
};

/// Calls `body` under the context's guard. What it does must be fit for memory::guarded.
template <class Body>
void run_guarded(const PassContext& context, Body& body) {
  context.guarded([](void* self) { (*static_cast<Body*>(self))(); }, &body);
}

/// Calls f(begin, end) for consecutive pieces of [0, n), each under the context's guard. Between pieces the evaluation
/// can be stopped.
template <class F>
void in_pieces(const PassContext& context, std::int64_t n, std::int64_t piece, const F& f) {
  for (std::int64_t begin = 0; begin < n; begin += piece) {
    auto body = [&] { f(begin, begin + piece < n ? begin + piece : n); };
    run_guarded(context, body);
    if (begin + piece < n) context.monitor->tick();
  }
}

class Runner {
 public:
  virtual ~Runner() = default;

  /// Bytes of registers and state that feed() holds at most with `threads` workers.
  virtual std::int64_t state_bytes(int threads) const = 0;
  /// Elements of a register tile.
  virtual std::int64_t tile() const = 0;
  /// The finest cut of the walk, when it is not by the leading axis.
  virtual std::int64_t units() const = 0;
  /// A count of units below or at `wanted` at which the walk is cut well: whole rows, leaves and pages.
  virtual std::int64_t good_step(std::int64_t wanted) const = 0;
  /// The elements that units of the pass stand for, in C order of the pipeline's natural shape.
  virtual Stretch stretch(Units units) const = 0;
  /// The same elements in the order of the program's shape, where they follow each other in it too.
  virtual Stretch walked(Units units) const { return stretch(units); }

  /// Computes these units. `into[k]`: for output k with a file destination, where the stretch's first element goes.
  virtual void feed(Units units, const Bases& bases, const std::vector<std::byte*>& into,
                    const PassContext& context) = 0;
  /// After the last feed: the targets hold their results.
  virtual void finish() = 0;
};

/// A runner that goes through its program element by element, so that its walk may be cut anywhere.
class ElementRunner : public Runner {
 public:
  std::int64_t tile() const override { return schedule_.tile(); }
  std::int64_t units() const override { return by_lead_ ? lead_of(pipeline_.natural) : pipeline_.program.size(); }
  std::int64_t good_step(std::int64_t wanted) const override;
  Stretch stretch(Units units) const override;

 protected:
  ElementRunner(const Pipeline& pipeline, bool by_lead)
      : pipeline_(pipeline), schedule_(pipeline.program), by_lead_(by_lead) {}

  const Pipeline& pipeline_;
  Schedule schedule_;

 private:
  bool by_lead_;
};

/// `memory[k]`: the destination memory of output k, null for files. With `by_lead`, units are steps of the leading
/// axis.
std::unique_ptr<Runner> make_store(const Pipeline& pipeline, std::vector<std::byte*> memory, bool by_lead);
std::unique_ptr<Runner> make_fold(const Pipeline& pipeline, const std::vector<Target>& targets,
                                  const kernel::Table& table, const std::vector<std::byte*>& memory, bool by_lead);
std::unique_ptr<Runner> make_count(const Pipeline& pipeline, const std::vector<Target>& targets,
                                   std::vector<std::byte*> memory, bool by_lead);

/// Plain instructions that an element of the program costs, roughly.
std::int64_t cost_of(const Program& program);

/// Elements that a worker takes at once, at most: enough to pay for the claim, few enough to balance.
inline constexpr std::int64_t kChunk = 64 << 10;

/// Elements of a program that a worker takes at once: kChunk, and fewer of a long program, so that Ctrl-C is heard
/// within milliseconds. A power of two. Of `elements` shared by `workers`, at most a quarter of a worker's share.
std::int64_t chunk_of(const Program& program);
std::int64_t chunk_of(const Program& program, std::int64_t elements, int workers);

/// Bytes that the program moves for `elements` of its walk: operands read and outputs written.
std::int64_t traffic(const Program& program, std::int64_t elements);

}  // namespace penstock::run
