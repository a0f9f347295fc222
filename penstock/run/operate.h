// SPDX-License-Identifier: Apache-2.0
// Operators at work: their inputs are lent box by box, their results go to memory or to a file.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "penstock/graph/operator.h"
#include "penstock/run/crew.h"
#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// An operator of two inputs that calculates its whole result without steps, where that takes little memory: the bits
/// of steps, in a part of their fixed time.
class WholeOperator : public graph::Operator {
 public:
  /// Plain operations that the whole takes, roughly; negative where it needs steps.
  virtual std::int64_t operations() const = 0;
  /// Bytes that compute_whole() takes from the pool.
  virtual std::int64_t whole_bytes(int threads) const = 0;
  /// Computes into the output, which is contiguous.
  virtual void compute_whole(const graph::Lease& a, const graph::Lease& b, std::byte* out, const Crew& crew) const = 0;
};

/// Computes a node of such an operator whose inputs lie in memory; false, and nothing done, for all else, and where it
/// takes over `most` operations or another thread computes it.
bool operate_whole(const graph::NodeRef& node, const Options& options,
                   std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// Where a result may be kept: in memory, as somebody asked for it; in a scratch file where memory has no room; or in
/// one where it would take more of the memory that is free than may be spared beside other work.
enum class Keep : std::uint8_t { kInMemory, kAnywhere, kBeside };

/// Whether a result of so many bytes is kept in memory.
bool has_room(std::int64_t bytes, Keep keep);

/// Computes an operator's node, which keeps the result and drops its inputs; does nothing when it has one. Waits while
/// another thread computes it. Inputs that are not in memory are evaluated into buffers that last as long as a step
/// needs them. Throws BudgetError before any work when the smallest step, or the result that is to be kept in memory,
/// does not fit.
void operate(const graph::NodeRef& node, const Options& options, Keep keep);

/// Evaluates a request that is nothing but an operator, reshaped or not, straight into its destination; false, and
/// nothing done, where that needs a plan.
bool operate_directly(const std::vector<Request>& requests, const Options& options);

/// An operator that has to be computed before the plan can run; null when there is none.
graph::NodeRef pending_operator(const Plan& plan);

}  // namespace penstock::run
