// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/scan.h"

#include <atomic>
#include <cstring>
#include <thread>

#include "penstock/kernel/table.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/crew.h"
#include "penstock/run/packed.h"
#include "penstock/run/rooms.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

using graph::Lease;
using graph::Leases;
using graph::Step;
using kernel::kScanRun;

constexpr std::int64_t kChunkRuns = 16;                    // of a line that threads take at once
constexpr std::int64_t kChunk = kChunkRuns * kScanRun;     // elements
constexpr std::int64_t kColumns = 512;                     // lines side by side that a thread takes at once
constexpr std::int64_t kMostElement = 16;                  // bytes
constexpr std::int64_t kRoom = 2 * kChunk * kMostElement;  // bytes a thread: elements packed, and to be unpacked

/// One element, or the carry of a line.
struct Element {
  alignas(16) std::byte bytes[kMostElement] = {};
};

/// One element for each run of a chunk, side by side.
struct Totals {
  alignas(16) std::byte bytes[kChunkRuns * kMostElement];
};

/// Elements of a line; stride in bytes.
struct Strip {
  std::byte* data;
  std::int64_t stride;

  Strip from(std::int64_t i) const { return {data + i * stride, stride}; }
};

class Scan final : public graph::Operator {
 public:
  Scan(Cumulative what, DType dtype, const Lines& lines)
      : what_(what), size_(size_of(dtype)), lines_(lines), kernel_(*kernel::scan_of(what, dtype)) {}

  std::string text() const override { return what_ == Cumulative::kSum ? "cumulative_sum" : "cumulative_prod"; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t elements = bytes / (2 * size_);
    const std::int64_t plane = lines_.n * lines_.inner;
    std::vector<Step> steps;
    const auto add = [&](Range outer, Range n, Range inner) {
      const graph::Box box = box_of(outer, n, inner);
      steps.push_back({box, {box}, true});
    };
    if (plane <= elements) {
      cut(lines_.outer, elements / std::max<std::int64_t>(plane, 1), [&](Range outer) {
        add(outer, {0, lines_.n}, {0, lines_.inner});
      });
      return steps;
    }
    // Windows of whole runs along the lines: what is read lies side by side.
    const std::int64_t columns = std::clamp<std::int64_t>(elements / kScanRun, 1, lines_.inner);
    const std::int64_t window = std::max<std::int64_t>(elements / columns / kScanRun, 1) * kScanRun;
    cut(lines_.outer, 1, [&](Range outer) {
      cut(lines_.inner, columns, [&](Range inner) { cut(lines_.n, window, [&](Range n) { add(outer, n, inner); }); });
    });
    return steps;
  }

  /// Windows hand on the last row.
  std::int64_t state_bytes(const std::vector<Step>& steps) const override {
    std::int64_t elements = 0;
    for (const Step& step : steps) {
      if (step.output.shape[1] < lines_.n) elements = std::max(elements, step.output.shape[2]);
    }
    return elements * size_;
  }

  std::int64_t scratch_bytes(const Step& /*step*/, int threads) const override { return rooms_bytes(threads, kRoom); }

  void compute(const Step& step, const Leases& leases) const override {
    const Dims& shape = step.output.shape;
    if (count(shape) == 0) return;
    const int threads = workers_for(2 * count(shape) * size_, leases.threads, OpClass::kReduction);
    const Crew crew{threads, &leases.tick};
    const std::vector<memory::Buffer> rooms = rooms_for(threads, kRoom, "room of a scan");
    const bool fresh = step.output.begin[1] == 0;
    const auto room = [&](int worker) { return rooms[static_cast<std::size_t>(worker)].data(); };
    if (shape[2] > 1) return columns(shape, leases, fresh, crew, room);
    const auto line = [&](const Lease& lease, std::int64_t i) {
      return Strip{lease.data + i * lease.layout.strides[0], lease.layout.strides[1]};
    };
    if (shape[0] == 1 && shape[1] > kChunk && threads > 1 && what_ == Cumulative::kSum)
      return shared_line(line(leases.inputs[0], 0), line(leases.output, 0), shape[1], leases, fresh, crew, room);
    const std::int64_t group = std::max<std::int64_t>(1, kChunk / shape[1]);
    share(crew, (shape[0] + group - 1) / group, [&](int worker, std::int64_t g) {
      for (std::int64_t i = g * group; i < std::min((g + 1) * group, shape[0]); ++i)
        lone_line(line(leases.inputs[0], i), line(leases.output, i), shape[1], leases, fresh, crew, room(worker));
    });
  }

 private:
  const std::byte* beside(const Strip& x, std::int64_t n, std::byte* room) const {
    return packed(x.data, x.stride, size_, n, room);
  }

  std::byte* place(const Strip& out, std::byte* room) const {
    return out.stride == size_ ? out.data : room + kRoom / 2;
  }
  void put(const std::byte* from, const Strip& out, std::int64_t n) const {
    if (from != out.data) kernel::table().unpack[log2_of(size_)](from, out.data, out.stride, n);
  }

  /// carry = carry combined with the total of a run.
  void hand_on(Element& carry, bool& any, const std::byte* total) const {
    if (any)
      kernel_.combine(carry.bytes, total, carry.bytes, 1);
    else
      std::memcpy(carry.bytes, total, static_cast<std::size_t>(size_));
    any = true;
  }

  void shift(const Element& carry, std::byte* out, std::int64_t n) const { kernel_.shift(carry.bytes, out, out, n); }

  /// A chunk's elements, each run by itself, at `to`; the runs' totals.
  void chunk_runs(const Strip& x, std::int64_t n, std::byte* to, std::byte* room, std::byte* totals) const {
    kernel_.runs(beside(x, n, room), to, n, totals);
  }

  /// Adds the carries to the runs of a chunk; `carry` is then that after the chunk.
  void shift_runs(std::byte* to, std::int64_t n, const std::byte* totals, Element& carry, bool any) const {
    for (std::int64_t r = 0; r * kScanRun < n; ++r) {
      if (any) shift(carry, to + r * kScanRun * size_, std::min(kScanRun, n - r * kScanRun));
      hand_on(carry, any, totals + r * size_);
    }
  }

  void lone_line(const Strip& x, const Strip& out, std::int64_t n, const Leases& leases, bool fresh, const Crew& crew,
                 std::byte* room) const {
    Element carry;
    bool any = !fresh;
    if (any) std::memcpy(carry.bytes, leases.state, static_cast<std::size_t>(size_));
    Totals totals;
    for (std::int64_t first = 0; first < n; first += kChunk) {
      if (first > 0) (*crew.tick)();
      const std::int64_t m = std::min(kChunk, n - first);
      const Strip to = out.from(first);
      std::byte* here = place(to, room);
      if (what_ == Cumulative::kSum) {
        chunk_runs(x.from(first), m, here, room, totals.bytes);
        shift_runs(here, m, totals.bytes, carry, any);
      } else {
        follow(beside(x.from(first), m, room), here, m, carry, any);
      }
      any = true;
      put(here, to, m);
    }
    if (leases.state != nullptr) std::memcpy(leases.state, carry.bytes, static_cast<std::size_t>(size_));
  }

  void follow(const std::byte* x, std::byte* out, std::int64_t n, Element& carry, bool any) const {
    std::int64_t first = 0;
    if (!any) {
      std::memcpy(carry.bytes, x, static_cast<std::size_t>(size_));
      std::memmove(out, x, static_cast<std::size_t>(size_));
      first = 1;
    }
    kernel_.follow(x + first * size_, out + first * size_, n - first, carry.bytes);
  }

  /// Threads take chunks in order. One adds up its chunk's runs, waits for the carry of the chunk before, hands its own
  /// on, and only then goes over its chunk once more, which is still in its cache.
  template <class Room>
  void shared_line(const Strip& x, const Strip& out, std::int64_t n, const Leases& leases, bool fresh, const Crew& crew,
                   const Room& room) const {
    const std::int64_t chunks = (n + kChunk - 1) / kChunk;
    std::atomic<std::int64_t> ready{0};
    std::atomic<bool> failed{false};
    Element carry;
    bool any = !fresh;
    if (any) std::memcpy(carry.bytes, leases.state, static_cast<std::size_t>(size_));
    std::atomic<std::int64_t> next{0};
    thread::on_workers(crew.threads, [&](int worker) {
      std::byte* own = room(worker);
      try {
        for (std::int64_t i = next++; i < chunks && !failed; i = next++) {
          (*crew.tick)();
          const std::int64_t first = i * kChunk;
          const std::int64_t m = std::min(kChunk, n - first);
          const Strip to = out.from(first);
          std::byte* here = place(to, own);
          Totals totals;
          chunk_runs(x.from(first), m, here, own, totals.bytes);
          if (!wait_for(ready, i, failed)) return;
          Element mine = carry;
          const bool mine_any = any;
          for (std::int64_t r = 0; r * kScanRun < m; ++r) hand_on(carry, any, totals.bytes + r * size_);
          ready.store(i + 1, std::memory_order_release);
          shift_runs(here, m, totals.bytes, mine, mine_any);
          put(here, to, m);
        }
      } catch (...) {
        failed = true;
        throw;
      }
    });
    if (leases.state != nullptr) std::memcpy(leases.state, carry.bytes, static_cast<std::size_t>(size_));
  }

  /// Until `ready` is i; false when another thread failed, which will never make it so.
  static bool wait_for(const std::atomic<std::int64_t>& ready, std::int64_t i, const std::atomic<bool>& failed) {
    for (int spins = 0; ready.load(std::memory_order_acquire) != i; ++spins) {
      if (failed) return false;
      if (spins > 1000) std::this_thread::yield();
    }
    return true;
  }

  template <class Room>
  void columns(const Dims& shape, const Leases& leases, bool fresh, const Crew& crew, const Room& room) const {
    const std::int64_t blocks = (shape[2] + kColumns - 1) / kColumns;
    const Lease& x = leases.inputs[0];
    const Lease& out = leases.output;
    share(crew, shape[0] * blocks, [&](int worker, std::int64_t i) {
      const std::int64_t outer = i / blocks;
      const std::int64_t first = i % blocks * kColumns;
      const std::int64_t m = std::min(kColumns, shape[2] - first);
      const Strip from{x.data + outer * x.layout.strides[0] + first * x.layout.strides[2], x.layout.strides[1]};
      std::byte* to = out.data + outer * out.layout.strides[0] + first * size_;
      column_block({from.data, from.stride}, x.layout.strides[2], {to, out.layout.strides[1]}, shape[1], m,
                   leases.state == nullptr ? nullptr : leases.state + first * size_, fresh, room(worker));
    });
  }

  /// m lines side by side, row by row. `state`: the last row before, and then the last of this.
  void column_block(const Strip& x, std::int64_t across, const Strip& out, std::int64_t n, std::int64_t m,
                    std::byte* state, bool fresh, std::byte* room) const {
    const bool sums = what_ == Cumulative::kSum;
    const auto bytes = static_cast<std::size_t>(m * size_);
    std::byte* local = room + kColumns * kMostElement;
    std::byte* carry = local + kColumns * kMostElement;
    bool any = !fresh;
    if (any) std::memcpy(sums ? carry : local, state, bytes);
    for (std::int64_t j = 0; j < n; ++j) {
      const std::byte* row = packed(x.data + j * x.stride, across, size_, m, room);
      std::byte* to = out.data + j * out.stride;
      const bool begins = sums ? j % kScanRun == 0 : !any;
      if (begins) {
        if (sums && j > 0) std::memcpy(carry, to - out.stride, bytes);
        any = any || j > 0;
        std::memcpy(local, row, bytes);
      } else {
        kernel_.combine(local, row, local, m);
      }
      if (sums && any)
        kernel_.combine(carry, local, to, m);
      else
        std::memcpy(to, local, bytes);
      if (!sums) any = true;
    }
    if (state != nullptr) std::memcpy(state, out.data + (n - 1) * out.stride, bytes);
  }

  Cumulative what_;
  std::int64_t size_;
  Lines lines_;
  const kernel::Scan& kernel_;
};

}  // namespace

std::shared_ptr<const graph::Operator> make_scan(Cumulative what, DType dtype, const Lines& lines) {
  return std::make_shared<Scan>(what, dtype, lines);
}

}  // namespace penstock::run
