// SPDX-License-Identifier: Apache-2.0
// Small operations on arrays in memory: one call of the kernel, without a plan.
#pragma once

#include "penstock/graph/node.h"

namespace penstock::run {

/// Bytes of the largest operand, as computed with, and of the largest result.
inline constexpr std::int64_t kMostAtOnce = 4096;

/// Gives an elementwise node, or a reduction of all elements to one, its result on this thread, with the bits of a
/// plan. False, and nothing changed, unless its operands lie in memory one element after the other, or are single
/// values, and all are small; `node` is known to the caller alone. Throws BudgetError.
bool compute_at_once(graph::Node& node);

}  // namespace penstock::run
