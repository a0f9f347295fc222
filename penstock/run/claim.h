// SPDX-License-Identifier: Apache-2.0
// Which nodes are being evaluated, so that two threads never compute one at once, and how a node takes its result.
#pragma once

#include <mutex>
#include <vector>

#include "penstock/graph/node.h"

namespace penstock::run {

/// Nodes that this thread evaluates; given free when it ends, however it does.
class Claims {
 public:
  Claims() { innermost() = this; }
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// The caller holds graph_mutex(), and the node is_claimed() by nobody.
  void add(const graph::NodeRef& node);

  /// Throws Cancelled where this thread itself evaluates the node: it would wait for its own end. The caller holds
  /// graph_mutex().
  static void refuse_own(const graph::Node& node);

 private:
  const Claims* outer_ = innermost();  // of an evaluation in whose middle this thread begins another
  static const Claims*& innermost();
  std::vector<graph::NodeRef> nodes_;
};

/// Whether a thread of this process evaluates the node. The caller holds graph_mutex().
bool is_claimed(const graph::Node& node);

/// Lets go of graph_mutex() until some claim may have ended, 10 ms at most.
void wait_for_claims(std::unique_lock<std::mutex>& lock);
/// Wakes who waits so: a claim, or what is waited for like one, has ended.
void notify_claims();

/// The node takes its result; its inputs and its operator move to `dropped`, to be destroyed without the lock. The
/// caller holds graph_mutex().
void publish(graph::Node& node, graph::InMemory result, std::vector<graph::NodeRef>& dropped);
/// The same of a result for which memory has no room.
void publish(graph::Node& node, graph::InFile result, std::vector<graph::NodeRef>& dropped);

}  // namespace penstock::run
