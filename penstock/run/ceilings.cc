// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/ceilings.h"

#include <algorithm>
#include <chrono>

#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/kernel/ceilings.h"
#include "penstock/memory/buffer.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

using Clock = std::chrono::steady_clock;
using kernel::Ceilings;
using kernel::kCeilingBytes;

// How many rounds over registers go between two looks at the clock.
constexpr std::int64_t kRounds = 1 << 12;

// A loop over memory takes so many arrays; one over registers none.
struct Row {
  const char* name;
  int arrays;
  // Operations an element of the state and round.
  std::int64_t operations;
  std::int64_t element_bytes;
};
constexpr Row kRows[] = {{"read", 1, 0, 8},    {"copy", 2, 0, 8},    {"add", 3, 0, 8},      {"triad", 3, 0, 8},
                         {"fma_f32", 0, 2, 4}, {"fma_f64", 0, 2, 8}, {"popcount", 0, 1, 8}, {"dot_int8", 0, 8, 4}};

/// What one thread works on: arrays of n elements of 8 bytes in one buffer, and what comes out.
struct Worker {
  memory::Buffer memory;
  std::int64_t n = 0;
  alignas(64) std::byte state[kCeilingBytes];
  std::uint64_t seen = 0;
  double work = 0;
  Clock::time_point begin;
  Clock::time_point end;

  double* array(int which) const { return reinterpret_cast<double*>(memory.data()) + which * n; }
};

const Row& row_of(std::string_view name) {
  for (const Row& row : kRows) {
    if (name == row.name) return row;
  }
  std::string known;
  for (const Row& row : kRows) known += cat(known.empty() ? "" : ", ", row.name);
  throw ArgumentError(cat("no ceiling is named '", name, "'; there are ", known));
}

/// One pass over a worker's memory; the bytes it moved.
double pass_over_memory(const Row& row, const Ceilings& loops, Worker& worker, bool past) {
  const std::string_view name = row.name;
  double* last = worker.array(row.arrays - 1);
  if (name == "read") {
    // Called through a pointer: the compiler does not know that it could leave out what nobody reads.
    worker.seen ^= loops.read(reinterpret_cast<const std::uint64_t*>(last), worker.n);
  } else {
    const auto loop = name == "copy" ? loops.copy : name == "add" ? loops.add : loops.triad;
    loop(worker.array(0), worker.array(row.arrays - 2), last, worker.n, past);
  }
  return static_cast<double>(worker.n * 8 * row.arrays);
}

/// kRounds rounds over a worker's registers; the operations.
double pass_over_registers(const Row& row, const Ceilings& loops, Worker& worker) {
  const std::string_view name = row.name;
  void* state = worker.state;
  if (name == "fma_f32") loops.fma_f32(static_cast<float*>(state), kRounds);
  if (name == "fma_f64") loops.fma_f64(static_cast<double*>(state), kRounds);
  if (name == "popcount") loops.popcount(static_cast<std::uint64_t*>(state), kRounds);
  if (name == "dot_int8") loops.dot_int8(static_cast<std::int32_t*>(state), 0x01020304, 0x01ff01ff, kRounds);
  return static_cast<double>(kRounds * row.operations * (kCeilingBytes / row.element_bytes));
}

void prepare(Worker& worker, const Row& row, std::int64_t bytes) {
  std::fill(std::begin(worker.state), std::end(worker.state), std::byte{0});
  if (row.arrays == 0) return;
  constexpr std::int64_t kUnit = kernel::kCeilingUnit;
  worker.n = std::max<std::int64_t>(bytes, 4096) / (8 * row.arrays) / kUnit * kUnit;
  worker.memory = memory::Buffer::allocate(worker.n * 8 * row.arrays, "the ceiling's arrays");
  std::fill_n(worker.array(0), worker.n * row.arrays, 1.0);
}

/// Runs passes until `stop`, one at least; looks at the clock about every 10 us.
void run_for(const Row& row, const Ceilings& loops, Worker& worker, Clock::time_point stop, bool past) {
  const std::int64_t at_once = row.arrays == 0 ? 1 : std::max<std::int64_t>(1, (128 << 10) / (worker.n * 8));
  worker.work = 0;
  worker.begin = Clock::now();
  do {
    for (std::int64_t i = 0; i < at_once; ++i) {
      worker.work +=
          row.arrays == 0 ? pass_over_registers(row, loops, worker) : pass_over_memory(row, loops, worker, past);
    }
    worker.end = Clock::now();
  } while (worker.end < stop);
}

/// The rate of all workers together, from the first one's begin to the last one's end.
double rate_of(const std::vector<Worker>& workers) {
  Clock::time_point begin = workers[0].begin;
  Clock::time_point end = workers[0].end;
  double work = 0;
  for (const Worker& each : workers) {
    begin = std::min(begin, each.begin);
    end = std::max(end, each.end);
    work += each.work;
  }
  return work / std::chrono::duration<double>(end - begin).count();
}

}  // namespace

const std::vector<std::string>& ceiling_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const Row& row : kRows) found.emplace_back(row.name);
    return found;
  }();
  return names;
}

std::vector<double> ceiling_rates(std::string_view name, std::int64_t bytes, int threads, double seconds, int samples) {
  const Row& row = row_of(name);
  if (bytes <= 0 || threads <= 0 || !(seconds > 0) || samples <= 0)
    throw ArgumentError(cat("bytes, threads, seconds and samples of a ceiling are positive; got ", bytes, ", ", threads,
                            ", ", seconds, " and ", samples));
  const Ceilings loops = kernel::ceilings();
  std::vector<Worker> workers(static_cast<std::size_t>(threads));
  const auto at = [&](int worker) -> Worker& { return workers[static_cast<std::size_t>(worker)]; };
  // Each thread writes its own pages first, so that they lie near it.
  thread::on_workers(threads, [&](int worker) { prepare(at(worker), row, bytes / threads); });
  const bool past = bytes > caches().l3;
  std::vector<double> rates;
  // The first one warms up.
  for (int sample = -1; sample < samples; ++sample) {
    const auto stop =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    thread::on_workers(threads, [&](int worker) { run_for(row, loops, at(worker), stop, past); });
    if (sample >= 0) rates.push_back(rate_of(workers));
  }
  return rates;
}

}  // namespace penstock::run
