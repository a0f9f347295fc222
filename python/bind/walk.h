// SPDX-License-Identifier: Apache-2.0
// Each node of an expression once.
#pragma once

#include <set>
#include <vector>

#include "penstock/array/array.h"

namespace penstock::bind {

/// Calls `visit` once with each node of the expression. The caller holds graph_mutex().
template <class Visit>
void walk(const Array& array, const Visit& visit) {
  std::vector<graph::NodeRef> stack{array.node()};
  std::set<const graph::Node*> seen;
  while (!stack.empty()) {
    const graph::NodeRef node = stack.back();
    stack.pop_back();
    if (!seen.insert(node.get()).second) continue;
    visit(*node);
    for (const graph::NodeRef& input : node->inputs) stack.push_back(input);
  }
}

}  // namespace penstock::bind
