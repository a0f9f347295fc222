// SPDX-License-Identifier: Apache-2.0
// A result may take over the memory of an operand that nobody else holds: it is in the cache already, and the budget
// needs to hold one array less.
#pragma once

#include <memory>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// Operands' memory that an evaluation has taken over for its results. Until end() it is marked, so that whoever would
/// read it waits; an object that ends before gives it back unharmed, or, once writing has begun, marks it as lost.
class Donation {
 public:
  Donation() = default;
  ~Donation();
  Donation(const Donation&) = delete;
  Donation& operator=(const Donation&) = delete;

  /// Takes over `memory` for the result of `root` if no bit can change by it: memory of Penstock's own that only
  /// `root` leads to, as large as the result. The caller reads each of its elements, of the result's size, where it
  /// writes one, in some `operations` plain operations; `memory` is its only reference. The caller holds graph_mutex().
  bool take(const graph::Node& root, const std::shared_ptr<memory::Memory>& memory, std::int64_t operations);

  explicit operator bool() const { return !taken_.empty(); }
  /// The memory taken last.
  const std::shared_ptr<memory::Memory>& memory() const { return taken_.back(); }

  /// From here on elements are overwritten, and nothing may stop the evaluation. Forks wait for its end, and it for one
  /// that is under way: locks that a fork takes too, as loops are made under, are not taken any more.
  void begin();
  /// The results are whole. The caller holds graph_mutex(), and gives them to their nodes before it lets go of it.
  void end();

 private:
  std::vector<std::shared_ptr<memory::Memory>> taken_;
  bool begun_ = false;
};

/// Gives results of the plan the memory of operands: elementwise ones of one pass, computed from memory alone. The
/// caller holds graph_mutex().
void donate(Plan& plan, Donation& donation);

/// Whether another evaluation is writing over these elements: once it has ended nobody asks for them any more. Throws
/// InternalError where one failed in the middle. The caller holds graph_mutex().
bool is_rewritten(const memory::Memory& memory);
/// Whether any operand of the plan is.
bool is_rewritten(const Plan& plan);

}  // namespace penstock::run
