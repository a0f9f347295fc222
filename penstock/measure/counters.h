// SPDX-License-Identifier: Apache-2.0
// Counters: the rows of counters.def, relaxed and process-wide.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

namespace penstock::measure {

enum class Counter : int {
#define PENSTOCK_COUNTER(name, meaning) k_##name,
#include "penstock/measure/counters.def"
#undef PENSTOCK_COUNTER
  kEnd
};

void add(Counter counter, std::int64_t amount);
std::int64_t value(Counter counter);

/// (name, value) of each row.
std::vector<std::pair<const char*, std::int64_t>> counter_values();

}  // namespace penstock::measure
