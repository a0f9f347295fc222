// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/homes.h"

#include <algorithm>

namespace penstock::kernel {
namespace {

/// Gives each value a register, and the first `most` single elements one for the whole loop. Nothing where there are
/// too few.
std::optional<Homes> allocate(const Recipe& recipe, int registers, int most) {
  const int inputs = static_cast<int>(recipe.inputs.size());
  Homes homes;
  std::vector<int> last_use(recipe.inputs.size() + recipe.steps.size(), -1);
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    for (const int input : recipe.steps[i].inputs) {
      if (input >= 0) last_use[static_cast<std::size_t>(input)] = static_cast<int>(i);
    }
  }
  std::vector<int>& home = homes.registers;
  home.assign(last_use.size(), -1);
  int pinned = 0;
  for (std::size_t k = 0; k < recipe.inputs.size(); ++k) {
    if (!recipe.inputs[k].single || recipe.inputs[k].dtype == DType::k_bool || pinned++ < most) continue;
    home[k] = Homes::kOnStack;
    homes.on_stack.push_back(k);
  }
  homes.fetched_into = registers - (homes.on_stack.empty() ? 0 : kMaxArity);
  std::vector<int> idle;
  for (int r = homes.fetched_into; r-- > 0;) idle.push_back(r);
  const auto take = [&](int value) {
    if (idle.empty()) return false;
    home[static_cast<std::size_t>(value)] = idle.back();
    idle.pop_back();
    return true;
  };
  const auto is_single = [&](int value) {
    return value < inputs && recipe.inputs[static_cast<std::size_t>(value)].single;
  };
  for (int value = 0; value < inputs; ++value) {
    if (is_single(value) && home[static_cast<std::size_t>(value)] == -1 && !take(value)) return std::nullopt;
  }
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    const auto& used = recipe.steps[i].inputs;
    for (const int input : used) {
      if (input >= 0 && home[static_cast<std::size_t>(input)] == -1 && !take(input)) return std::nullopt;
    }
    for (int k = 0; k < kMaxArity; ++k) {
      const int input = used[k];
      if (input < 0 || is_single(input) || last_use[static_cast<std::size_t>(input)] != static_cast<int>(i)) continue;
      if (std::find(used, used + k, input) == used + k) idle.push_back(home[static_cast<std::size_t>(input)]);
    }
    const int output = inputs + static_cast<int>(i);
    if (!take(output)) return std::nullopt;
    if (last_use[static_cast<std::size_t>(output)] < 0) idle.push_back(home[static_cast<std::size_t>(output)]);
  }
  return homes;
}

}  // namespace

std::optional<Homes> homes_of(const Recipe& recipe, int registers) {
  for (const int most : {registers, registers / 3, 0}) {
    if (std::optional<Homes> homes = allocate(recipe, registers, most)) return homes;
  }
  return std::nullopt;
}

}  // namespace penstock::kernel
