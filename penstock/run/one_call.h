// SPDX-License-Identifier: Apache-2.0
// Evaluation by one call of a kernel: of one operation, or one reduction to a value, over operands that lie in memory
// as the kernel reads them, so small that a second thread does not pay. The bits of a plan; no loop is made, nothing is
// packed, and no progress reported.
#pragma once

#include <cstdint>

#include "penstock/measure/span.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// What became of it. kTooMuch: one call does, but takes longer than it may. kOther: evaluate_directly() may do.
enum class OneCall { kDone, kTooMuch, kOther };

/// Leaves the target as it was unless done. `most`: plain operations that it may take. `planning` ends before the call.
OneCall evaluate_in_one_call(const Request& request, std::int64_t most, measure::Span& planning);

/// Whether the budget holds the node's result beside what an evaluation takes for itself: where it does not, a plan
/// says so, and knows ways out.
bool has_room_beside_states(const graph::Node& node);

/// Counts an evaluation of one pass and one tile, with the bytes of operands that it read where they lie, and of those
/// that it packed.
void count_one_tile(std::int64_t borrowed, std::int64_t packed);

}  // namespace penstock::run
