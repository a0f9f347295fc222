// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/claim.h"

#include <condition_variable>
#include <iterator>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/fork.h"

namespace penstock::run {
namespace {

std::condition_variable& claim_ended() {
  // Never destroyed: that would wait for threads that wait here, which a forked child does not have.
  static auto* ended = new std::condition_variable;
  return *ended;
}

}  // namespace

const Claims*& Claims::innermost() {
  thread_local const Claims* last = nullptr;
  return last;
}

void Claims::refuse_own(const graph::Node& node) {
  for (const Claims* each = innermost(); each != nullptr; each = each->outer_) {
    for (const graph::NodeRef& own : each->nodes_) {
      if (own.get() != &node) continue;
      throw Cancelled(
          cat("the evaluation of '", graph::node_text(node),
              "' needs its own result: a callback (on_progress) looks at the array that is being evaluated; "
              "look at it afterwards"));
    }
  }
}

Claims::~Claims() {
  innermost() = outer_;
  if (nodes_.empty()) return;
  {
    const std::lock_guard lock(graph::graph_mutex());
    for (const graph::NodeRef& node : nodes_) node->running = 0;
  }
  notify_claims();
}

void notify_claims() { claim_ended().notify_all(); }

void Claims::add(const graph::NodeRef& node) {
  nodes_.push_back(node);
  node->running = fork_generation();
}

bool is_claimed(const graph::Node& node) { return node.running == fork_generation(); }

void wait_for_claims(std::unique_lock<std::mutex>& lock) {
  claim_ended().wait_for(lock, std::chrono::milliseconds(10));
}

namespace {

/// What the node was made of. The operators of a binding ask for its language's lock when they go, and who has that may
/// be waiting for this one.
void drop_makings(graph::Node& node, std::vector<graph::NodeRef>& dropped) {
  if (node.as<graph::Operate>() != nullptr) {
    dropped.push_back(std::make_shared<graph::Node>(node.dtype, node.shape, std::move(node.content)));
  }
  std::move(node.inputs.begin(), node.inputs.end(), std::back_inserter(dropped));
  node.inputs.clear();
}

}  // namespace

void publish(graph::Node& node, graph::InMemory result, std::vector<graph::NodeRef>& dropped) {
  drop_makings(node, dropped);
  node.settle(std::move(result));
}

void publish(graph::Node& node, graph::InFile result, std::vector<graph::NodeRef>& dropped) {
  drop_makings(node, dropped);
  node.content = std::move(result);
  node.depth = 0;
}

}  // namespace penstock::run
