// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/units.h"

#include <algorithm>
#include <utility>

namespace penstock::run {
namespace {

// Elements from which a loop that is made once and kept pays for looking it up.
constexpr std::int64_t kWorthMaking = 4096;

Unit alone(const Program& program, std::size_t i) {
  const Instruction& each = program.instructions[i];
  return {{static_cast<int>(i)}, {each.inputs, each.inputs + each.count}, {each.output}, nullptr};
}

class Grouping {
 public:
  explicit Grouping(const Program& program)
      : program_(program), done_(program.instructions.size(), false), producer_(program.values.size(), -1) {
    for (std::size_t i = 0; i < program.instructions.size(); ++i)
      producer_[static_cast<std::size_t>(program.instructions[i].output)] = static_cast<int>(i);
  }

  std::vector<Unit> units() {
    std::vector<Unit> units;
    for (std::size_t i = 0; i < done_.size(); ++i) {
      // A group takes instructions from further on; the first one left is always ready.
      while (!done_[i]) {
        Unit unit = generated_from(i);
        if (unit.loop == nullptr) unit = alone(program_, i);
        for (const int each : unit.instructions) done_[static_cast<std::size_t>(each)] = true;
        units.push_back(std::move(unit));
      }
    }
    return units;
  }

 private:
  const Instruction& instruction(int i) const { return program_.instructions[static_cast<std::size_t>(i)]; }

  /// All that can go into one loop now; no loop when that is less than two instructions.
  Unit generated_from(std::size_t first) const {
    Unit unit;
    kernel::Recipe recipe;
    std::int64_t width = 0;
    for (std::size_t i = first; i < done_.size(); ++i) {
      const auto index = static_cast<int>(i);
      if (done_[i] || !ready(index, unit) || !joins(index, unit, width)) continue;
      unit.instructions.push_back(index);
      kernel::Recipe longer = describe(unit);
      if (!kernel::fits_registers(longer)) {
        unit.instructions.pop_back();
        break;
      }
      recipe = std::move(longer);
      width = std::max(width, kernel::lane_bytes(instruction(index).from));
    }
    if (unit.instructions.size() < 2) return {};
    describe(unit);
    unit.loop = kernel::generate(recipe);
    return unit;
  }

  bool in(const Unit& unit, int i) const {
    return std::find(unit.instructions.begin(), unit.instructions.end(), i) != unit.instructions.end();
  }

  bool ready(int i, const Unit& unit) const {
    const Instruction& each = instruction(i);
    return std::all_of(each.inputs, each.inputs + each.count, [&](int value) {
      const int from = producer_[static_cast<std::size_t>(value)];
      return from < 0 || done_[static_cast<std::size_t>(from)] || in(unit, from);
    });
  }

  bool joins(int i, const Unit& unit, std::int64_t width) const {
    const Instruction& each = instruction(i);
    if (each.cast || !kernel::is_generated(each.op, each.from)) return false;
    const std::int64_t lane = kernel::lane_bytes(each.from);
    if (lane != 0) return width == 0 || lane == width;
    // Bytes widen to lanes on the way in: worth it only for what is in a lane already.
    return std::any_of(each.inputs, each.inputs + each.count,
                       [&](int value) { return in(unit, producer_[static_cast<std::size_t>(value)]); });
  }

  bool read_outside(int value, const Unit& unit) const {
    if (std::find(program_.outputs.begin(), program_.outputs.end(), value) != program_.outputs.end()) return true;
    for (std::size_t i = 0; i < program_.instructions.size(); ++i) {
      const Instruction& each = program_.instructions[i];
      if (std::find(each.inputs, each.inputs + each.count, value) != each.inputs + each.count &&
          !in(unit, static_cast<int>(i)))
        return true;
    }
    return false;
  }

  /// The unit's recipe; sets its inputs and outputs.
  kernel::Recipe describe(Unit& unit) const {
    kernel::Recipe recipe;
    unit.inputs.clear();
    unit.outputs.clear();
    std::vector<int> number(program_.values.size(), -1);
    for (const int i : unit.instructions) {
      const Instruction& each = instruction(i);
      for (int k = 0; k < each.count; ++k) {
        const auto value = static_cast<std::size_t>(each.inputs[k]);
        if (number[value] >= 0 || in(unit, producer_[value])) continue;
        number[value] = static_cast<int>(unit.inputs.size());
        unit.inputs.push_back(each.inputs[k]);
        recipe.inputs.push_back({program_.values[value], is_constant(each.inputs[k])});
      }
    }
    int next = static_cast<int>(unit.inputs.size());
    for (const int i : unit.instructions) {
      const Instruction& each = instruction(i);
      kernel::Recipe::Step step{each.op, each.from, {-1, -1, -1}};
      for (int k = 0; k < each.count; ++k) step.inputs[k] = number[static_cast<std::size_t>(each.inputs[k])];
      recipe.steps.push_back(step);
      if (read_outside(each.output, unit)) {
        unit.outputs.push_back(each.output);
        recipe.outputs.push_back(next);
      }
      number[static_cast<std::size_t>(each.output)] = next++;
    }
    return recipe;
  }

  bool is_constant(int value) const {
    const auto found = std::find_if(program_.operands.begin(), program_.operands.end(),
                                    [value](const Operand& each) { return each.value == value; });
    return found != program_.operands.end() && found->kind == Operand::Kind::kConstant;
  }

  const Program& program_;
  std::vector<bool> done_;
  std::vector<int> producer_;  // per value: its instruction
};

}  // namespace

std::vector<Unit> units_of(const Program& program) {
  if (program.instructions.size() > 1 && program.size() >= kWorthMaking) return Grouping(program).units();
  std::vector<Unit> units;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) units.push_back(alone(program, i));
  return units;
}

}  // namespace penstock::run
