// SPDX-License-Identifier: Apache-2.0
// An operator at work for one destination.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "penstock/graph/operator.h"
#include "penstock/run/in_passes.h"
#include "penstock/run/lend.h"
#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"

namespace penstock::run {

class OperatorRun {
 public:
  /// Inputs that are operators themselves are computed here.
  OperatorRun(const graph::Node& node, const Options& options);

  /// Step by step, or by passes where no step is small enough or these take less time. Throws BudgetError before any
  /// work where neither fits.
  void run(const Destination& to, std::int64_t size);

 private:
  class PassAccess;

  graph::Lease lend(std::size_t k, const graph::Step& step);
  memory::Buffer state_of(const std::vector<graph::Step>& steps) const;
  void compute(const graph::Step& step, std::byte* state, const graph::Lease& output);
  void finish(const Destination& to, const graph::Box& output, const memory::Buffer& tile, std::int64_t size);
  std::int64_t bytes_of(const graph::Step& step, const Destination& to, std::int64_t size) const;
  std::optional<std::vector<graph::Step>> fitting_steps(const Destination& to, std::int64_t size) const;
  void run_in_passes(const Destination& to, std::int64_t size);
  std::int64_t available() const;
  [[noreturn]] void refuse(std::int64_t need) const;

  Monitor monitor_;
  Options quiet_;  // for what is evaluated on the way: one progress, not several
  std::shared_ptr<const graph::Operator> op_;
  std::vector<graph::NodeRef> inputs_of_node_;
  std::vector<Input> inputs_;
  std::function<void()> tick_ = [this] { monitor_.tick(); };
};

}  // namespace penstock::run
