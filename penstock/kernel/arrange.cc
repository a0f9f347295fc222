// SPDX-License-Identifier: Apache-2.0
#include "penstock/kernel/arrange.h"

#include <algorithm>

namespace penstock::kernel {
namespace {

/// Cycles until a step's result can be used, by and large: of what x86 processors of the last ten years do.
int latency(Op op) {
  const bool divides = op == Op::k_divide || op == Op::k_reciprocal || op == Op::k_sqrt;
  return divides ? 24 : 4;
}

/// Which steps are written, and when.
class Arrangement {
 public:
  explicit Arrangement(const Recipe& recipe)
      : recipe_(recipe), inputs_(static_cast<int>(recipe.inputs.size())), ready_(recipe.steps.size(), kNever) {
    measure();
  }

  /// Step numbers in their new order: one a cycle, of those whose operands are there the one that most cycles depend
  /// on; where none is there the next cycle has one.
  std::vector<std::size_t> order() {
    std::vector<std::size_t> order;
    for (int cycle = 0; order.size() < recipe_.steps.size(); ++cycle) {
      const std::size_t next = most_urgent(cycle);
      if (next == recipe_.steps.size()) continue;
      ready_[next] = cycle + latency(recipe_.steps[next].op);
      order.push_back(next);
    }
    return order;
  }

 private:
  static constexpr int kNever = 1 << 30;

  /// Cycles from each step's begin to the end of the longest chain that it begins.
  void measure() {
    ahead_.assign(recipe_.steps.size(), 0);
    for (std::size_t i = recipe_.steps.size(); i-- > 0;) {
      ahead_[i] += latency(recipe_.steps[i].op);
      for (const int input : recipe_.steps[i].inputs) {
        if (input >= inputs_) ahead_[index(input)] = std::max(ahead_[index(input)], ahead_[i]);
      }
    }
  }

  std::size_t index(int value) const { return static_cast<std::size_t>(value - inputs_); }

  bool has_operands(std::size_t step, int cycle) const {
    const auto& inputs = recipe_.steps[step].inputs;
    return std::all_of(std::begin(inputs), std::end(inputs),
                       [&](int input) { return input < inputs_ || ready_[index(input)] <= cycle; });
  }

  /// The number of steps where there is none.
  std::size_t most_urgent(int cycle) const {
    std::size_t best = recipe_.steps.size();
    for (std::size_t i = 0; i < recipe_.steps.size(); ++i) {
      const bool better = ready_[i] == kNever && (best == recipe_.steps.size() || ahead_[i] > ahead_[best]);
      if (better && has_operands(i, cycle)) best = i;
    }
    return best;
  }

  const Recipe& recipe_;
  const int inputs_;
  std::vector<int> ready_;  // per step: the cycle from which its result can be used
  std::vector<int> ahead_;
};

}  // namespace

Recipe arranged(const Recipe& recipe) {
  Recipe out;
  out.inputs = recipe.inputs;
  const auto inputs = recipe.inputs.size();
  std::vector<int> number(inputs + recipe.steps.size());
  for (std::size_t k = 0; k < inputs; ++k) number[k] = static_cast<int>(k);
  for (const std::size_t i : Arrangement(recipe).order()) {
    number[inputs + i] = static_cast<int>(inputs + out.steps.size());
    out.steps.push_back(recipe.steps[i]);
    for (int& input : out.steps.back().inputs) input = input < 0 ? input : number[static_cast<std::size_t>(input)];
  }
  for (const int output : recipe.outputs) out.outputs.push_back(number[static_cast<std::size_t>(output)]);
  return out;
}

}  // namespace penstock::kernel
