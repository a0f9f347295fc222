// SPDX-License-Identifier: Apache-2.0
// Which register of a generated loop holds which value.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "penstock/kernel/generate.h"

namespace penstock::kernel {

/// Where the values of a recipe are while its loop runs.
struct Homes {
  static constexpr int kOnStack = -2;
  std::vector<int> registers;         // per value: from its load or step to its last use; or kOnStack
  std::vector<std::size_t> on_stack;  // inputs of single elements that each step reads from the stack
  int fetched_into = 0;               // the first of the registers for those, one an operand
};

/// Gives each value one of `registers`, single elements for the whole loop as far as that leaves enough for the rest.
/// Nothing where there are too few.
std::optional<Homes> homes_of(const Recipe& recipe, int registers);

}  // namespace penstock::kernel
