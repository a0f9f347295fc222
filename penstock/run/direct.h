// SPDX-License-Identifier: Apache-2.0
// Evaluation without a plan, for what one loop over memory calculates: the kernels, the bits and the threads of a plan,
// in a tenth of its fixed time.
#pragma once

#include <cstdint>
#include <limits>

#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// Evaluates an elementwise expression, or a reduction of one to a single value, that one loop calculates row by row
/// from operands in memory (run/calculation.h). False, with the target as it
/// was, for anything else: it needs a plan. Reductions that the expression reads may be evaluated by then. `most`:
/// plain operations that it may take; more are left alone.
bool evaluate_directly(const Request& request, const Options& options = {},
                       std::int64_t most = std::numeric_limits<std::int64_t>::max());

}  // namespace penstock::run
