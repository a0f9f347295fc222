// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/runner.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/fault_guard.h"
#include "penstock/thread/parallel.h"
#include "penstock/thread/shares.h"

namespace penstock::run {
namespace {

/// PENSTOCK_DEBUG_DELAY: how long every `every`-th item is held up, as by a page fault or a busy CPU.
struct Delay {
  std::chrono::microseconds time{0};
  std::int64_t every = 0;  // 0: none

  void hold_up(std::int64_t item) const {
    if (every == 0 || item % every != 0) return;
    measure::add(measure::Counter::k_delays, 1);
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
  }
};

/// Read once more by each loop: tests change it.
Delay delay_setting() {
  const auto read = [](const std::string& text) {
    const std::size_t unit = text.find("us/");
    if (unit == std::string::npos) throw ArgumentError(cat("'", text, "' is no delay; write 200us/20"));
    return Delay{std::chrono::microseconds(parse_count(text.substr(0, unit))), parse_count(text.substr(unit + 3))};
  };
  return env_value(Env::kDEBUG_DELAY, read).value_or(Delay{});
}

}  // namespace

void check_delay_setting() { delay_setting(); }

void PassContext::guarded(void (*body)(void*), void* context) const {
  if (mapped.empty()) {
    body(context);
    return;
  }
  if (memory::guarded(body, context)) return;
  for (const auto& file : mapped) file->check_unchanged();
  mapped.front()->raise_truncated();
}

void PassContext::share(std::int64_t n, int workers,
                        const std::function<void(const std::function<std::int64_t()>&)>& work) const {
  const Delay delay = n > 1 ? delay_setting() : Delay{};
  const int used = static_cast<int>(std::clamp<std::int64_t>(n, 1, workers));
  // A file is read ahead where its pages are asked for in their order.
  const int ranges = mapped.empty() ? used : 1;
  thread::Shares shares(n, ranges);
  thread::on_workers(used, [&](int worker) {
    std::optional<measure::Span> span;
    if (used > 1) span.emplace(measure::Step::k_worker);
    const auto claim = [&]() -> std::int64_t {
      monitor->tick();
      const std::int64_t item = shares.claim(worker % ranges);
      if (item >= 0) delay.hold_up(item);
      return item;
    };
    try {
      work(std::cref(claim));
    } catch (...) {
      shares.stop();
      throw;
    }
  });
}

std::int64_t ElementRunner::good_step(std::int64_t wanted) const {
  const std::int64_t whole = by_lead_ ? 1 : 4096;  // elements: a multiple of pages in any dtype
  return std::max(wanted / whole, std::int64_t{1}) * whole;
}

Stretch ElementRunner::stretch(Units units) const {
  const std::int64_t inner = pipeline_.program.size() / this->units();
  return {units.begin * inner, units.end * inner};
}

std::int64_t cost_of(const Program& program) {
  constexpr std::int64_t kMaths = 8;
  constexpr std::int64_t kComplexMaths = 64;
  std::int64_t cost = 0;
  for (const Instruction& each : program.instructions) {
    const bool elsewhere = !each.cast && kernel::is_elsewhere(each.op, each.from);
    cost += !elsewhere ? 1 : kind_of(each.from) == Kind::kComplex ? kComplexMaths : kMaths;
  }
  return cost;
}

std::int64_t chunk_of(const Program& program) {
  constexpr std::int64_t kMost = kChunk * 16;  // some hundred microseconds' worth
  constexpr std::int64_t kLeast = 4096;
  const std::int64_t cost = cost_of(program);
  std::int64_t chunk = kChunk;
  while (chunk > kLeast && chunk * cost > kMost) chunk /= 2;
  return chunk;
}

std::int64_t chunk_of(const Program& program, std::int64_t elements, int workers) {
  constexpr std::int64_t kPieces = 4;       // of a worker's share: what one waits for the other at the end
  constexpr std::int64_t kLeast = 4 << 10;  // some microseconds' worth, far more than a claim costs
  const std::int64_t share = std::max<std::int64_t>(elements / (kPieces * std::max(workers, 1)), 1);
  const auto fair = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(share)));
  return std::clamp(fair, std::min(kLeast, chunk_of(program)), chunk_of(program));
}

std::int64_t traffic(const Program& program, std::int64_t elements) {
  std::int64_t bytes = 0;
  for (const Operand& operand : program.operands) {
    const bool read = operand.kind != Operand::Kind::kConstant && operand.kind != Operand::Kind::kIota;
    bytes += read ? size_of(operand.dtype) : 0;
  }
  for (const int output : program.outputs) bytes += size_of(program.values[static_cast<std::size_t>(output)]);
  return bytes * elements;
}

}  // namespace penstock::run
