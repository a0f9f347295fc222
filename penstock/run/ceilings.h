// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most, measured now: bytes a second from each memory, operations a second.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::run {

/// read, copy, add, triad (the loops of kernel/ceilings.h over memory), fma_f32, fma_f64, popcount, dot_int8 (over
/// registers).
const std::vector<std::string>& ceiling_names();

/// The bytes (loops over memory) or operations (loops over registers: two a multiply-add, one a word whose ones are
/// counted, eight a sum of four products) that `threads` threads do a second together, from the first one's begin to
/// the last one's end: one figure for each of `samples` runs of `seconds` each, after one that is not counted. `bytes`
/// is what all arrays of all threads take together, at least 4 KiB a thread; memory comes from the budget. A written
/// byte counts once. Throws ArgumentError for a name that is none of these or a count or time that is not positive,
/// BudgetError.
std::vector<double> ceiling_rates(std::string_view name, std::int64_t bytes, int threads, double seconds, int samples);

}  // namespace penstock::run
