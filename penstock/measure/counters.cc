// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/counters.h"

#include <array>

namespace penstock::measure {
namespace {

std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Counter::kEnd)> counters{};

constexpr const char* kNames[] = {
#define PENSTOCK_COUNTER(name, meaning) #name,
#include "penstock/measure/counters.def"
#undef PENSTOCK_COUNTER
};

}  // namespace

void add(Counter counter, std::int64_t amount) {
  counters[static_cast<std::size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
}

std::int64_t value(Counter counter) {
  return counters[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
}

std::vector<std::pair<const char*, std::int64_t>> counter_values() {
  std::vector<std::pair<const char*, std::int64_t>> values;
  for (std::size_t i = 0; i < counters.size(); ++i) values.emplace_back(kNames[i], value(static_cast<Counter>(i)));
  return values;
}

}  // namespace penstock::measure
