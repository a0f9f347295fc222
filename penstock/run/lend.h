// SPDX-License-Identifier: Apache-2.0
// An operator's input, lent box by box: borrowed where it lies in memory, else evaluated into a buffer.
#pragma once

#include <optional>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/run/monitor.h"

namespace penstock::run {

/// The basic indices that name a box's elements.
std::vector<Index> indices_of(const graph::Box& box);

class Input {
 public:
  explicit Input(graph::NodeRef node);

  bool resident() const { return resident_; }
  const graph::NodeRef& node() const { return node_; }

  /// Bytes of the pool that lending the box takes.
  std::int64_t bytes(const graph::Box& box) const;

  /// The box as memory, until another one is lent. Throws what evaluating it throws.
  graph::Lease lend(const graph::Box& box, const Options& options);

 private:
  void take(const graph::Box& box, const Options& options);

  graph::NodeRef node_;
  graph::Box box_;                          // what is lent
  std::optional<graph::InMemory> present_;  // where it lies
  bool resident_;                           // the whole input lies in memory
};

}  // namespace penstock::run
