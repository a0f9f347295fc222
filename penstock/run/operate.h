// SPDX-License-Identifier: Apache-2.0
// Operators at work: their inputs are lent box by box, their results go to memory or to a file.
#pragma once

#include <vector>

#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// Computes an operator's node, which keeps the result and drops its inputs; does nothing when it has one. Waits while
/// another thread computes it. Inputs that are not in memory are evaluated into buffers that last as long as a step
/// needs them. Throws BudgetError before any work when the result or the smallest step does not fit.
void operate(const graph::NodeRef& node, const Options& options);

/// Evaluates a request that is nothing but an operator, straight into its destination; false, and nothing done, where
/// that needs a plan.
bool operate_directly(const std::vector<Request>& requests, const Options& options);

/// An operator that has to be computed before the plan can run; null when there is none.
graph::NodeRef pending_operator(const Plan& plan);

}  // namespace penstock::run
