// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/program.h"

#include <algorithm>
#include <tuple>

#include "penstock/base/error.h"

namespace penstock::run {
namespace {

using graph::Node;
using graph::NodeRef;
using graph::View;

/// A view on the way from a node up to the root; views nearer to the root follow by `next`.
struct Step {
  const View* view;
  NodeRef input;  // the node the view is taken of
  int next;
};

/// A node seen through the views above it.
struct Place {
  const Node* node;
  int path;  // index of a Step; -1: none
  auto operator<=>(const Place&) const = default;
};

class Compiler {
 public:
  Compiler(const Targets& targets, Program& program) : targets_(targets), program_(program) {}

  /// False when a node must become a target first (`needs`).
  bool compile(const NodeRef& root, NeedsTarget& needs) {
    std::vector<std::pair<NodeRef, int>> stack{{root, -1}};
    while (!stack.empty()) {
      const auto [node, path] = stack.back();
      const Place place{node.get(), path};
      if (values_.count(place) != 0) {
        stack.pop_back();
        continue;
      }
      if (is_leaf(*node)) {
        const std::optional<int> value = leaf(*node, path, needs);
        if (!value) return false;
        values_[place] = *value;
        stack.pop_back();
        continue;
      }
      const std::vector<std::pair<NodeRef, int>> inputs = inputs_of(*node, path);
      bool ready = true;
      for (std::size_t i = inputs.size(); i-- > 0;) {
        if (values_.count({inputs[i].first.get(), inputs[i].second}) == 0) {
          stack.push_back(inputs[i]);
          ready = false;
        }
      }
      if (!ready) continue;
      values_[place] = combine(*node, inputs);
      stack.pop_back();
    }
    program_.outputs.push_back(values_.at({root.get(), -1}));
    return true;
  }

 private:
  bool is_leaf(const Node& node) const {
    if (targets_.count(&node) != 0) return true;
    return !node.as<graph::Elementwise>() && !node.as<graph::CastTo>() && !node.as<View>();
  }

  int path_to(const View* view, const NodeRef& input, int next) {
    const auto [found, added] = path_ids_.try_emplace({view, next}, static_cast<int>(steps_.size()));
    if (added) steps_.push_back({view, input, next});
    return found->second;
  }

  std::vector<std::pair<NodeRef, int>> inputs_of(const Node& node, int path) {
    std::vector<std::pair<NodeRef, int>> inputs;
    if (const View* view = node.as<View>()) {
      inputs.emplace_back(node.inputs[0], path_to(view, node.inputs[0], path));
      return inputs;
    }
    for (const NodeRef& input : node.inputs) {
      if (input->shape == node.shape) {
        inputs.emplace_back(input, path);
        continue;
      }
      std::unique_ptr<View>& view = broadcasts_[node.shape];
      if (!view) view = std::make_unique<View>(View{View::Type::kBroadcast, {}, {}, node.shape});
      inputs.emplace_back(input, path_to(view.get(), input, path));
    }
    return inputs;
  }

  int combine(const Node& node, const std::vector<std::pair<NodeRef, int>>& inputs) {
    Instruction instruction;
    for (const auto& [input, path] : inputs) {
      instruction.inputs[instruction.count++] = values_.at({input.get(), path});
    }
    if (node.as<View>()) return instruction.inputs[0];
    instruction.cast = node.as<graph::CastTo>() != nullptr;
    if (const auto* elementwise = node.as<graph::Elementwise>()) {
      instruction.op = elementwise->op;
      instruction.from = elementwise->compute;
    } else {
      instruction.from = node.inputs[0]->dtype;
    }
    instruction.to = node.dtype;
    return emit(instruction);
  }

  int emit(Instruction instruction) {
    const auto key = std::tuple(instruction.cast, instruction.op, instruction.from, instruction.to,
                                instruction.inputs[0], instruction.inputs[1], instruction.inputs[2]);
    const auto [found, added] = instruction_ids_.try_emplace(key, static_cast<int>(program_.values.size()));
    if (added) {
      instruction.output = found->second;
      program_.values.push_back(instruction.to);
      program_.instructions.push_back(instruction);
    }
    return found->second;
  }

  /// The layout seen through the path's views; nothing (and `needs`) where a reshape fails.
  std::optional<Layout> through(Layout layout, int path, NeedsTarget& needs) const {
    for (; path >= 0; path = steps_[static_cast<std::size_t>(path)].next) {
      const Step& step = steps_[static_cast<std::size_t>(path)];
      std::optional<Layout> next = step.view->of(layout);
      if (!next) {
        needs.node = step.input;
        return std::nullopt;
      }
      layout = std::move(*next);
    }
    return layout;
  }

  std::optional<int> leaf(const Node& node, int path, NeedsTarget& needs) {
    Operand operand;
    operand.dtype = node.dtype;
    Layout layout;
    const auto target = targets_.find(&node);
    if (target != targets_.end()) {
      operand.kind = Operand::Kind::kTarget;
      operand.target = target->second;
      layout = contiguous(node.shape, size_of(node.dtype));
    } else if (const auto* memory = node.as<graph::InMemory>()) {
      operand.kind = Operand::Kind::kMemory;
      operand.memory = memory->memory;
      layout = memory->layout;
    } else if (const auto* file = node.as<graph::InFile>()) {
      operand.kind = Operand::Kind::kFile;
      operand.file = file->file;
      operand.swapped = file->file->format().swapped && size_of(node.dtype) > 1;
      layout = file->layout;
    } else if (const auto* iota = node.as<graph::Iota>()) {
      operand.kind = Operand::Kind::kIota;
      operand.start = iota->start;
      operand.delta = iota->delta;
      layout = contiguous(node.shape, 1);
    } else if (const auto* constant = node.as<graph::Constant>()) {
      operand.kind = Operand::Kind::kConstant;
      operand.start = constant->value;
      return add(std::move(operand));
    } else {
      throw InternalError(cat(graph::node_text(node), " is neither an operand nor a target"));
    }
    std::optional<Layout> seen = through(std::move(layout), path, needs);
    if (!seen) return std::nullopt;
    operand.layout = std::move(*seen);
    return add(std::move(operand));
  }

  int add(Operand operand) {
    for (const Operand& other : program_.operands) {
      if (other.kind == operand.kind && other.dtype == operand.dtype && other.memory == operand.memory &&
          other.file == operand.file && other.target == operand.target && other.start == operand.start &&
          other.delta == operand.delta && other.layout == operand.layout) {
        return other.value;
      }
    }
    operand.value = static_cast<int>(program_.values.size());
    program_.values.push_back(operand.dtype);
    program_.operands.push_back(std::move(operand));
    return program_.operands.back().value;
  }

  const Targets& targets_;
  Program& program_;
  std::vector<Step> steps_;
  std::map<std::pair<const View*, int>, int> path_ids_;
  std::map<Dims, std::unique_ptr<View>> broadcasts_;
  std::map<Place, int> values_;
  std::map<std::tuple<bool, Op, DType, DType, int, int, int>, int> instruction_ids_;
};

}  // namespace

std::int64_t Program::widest() const {
  std::int64_t widest = 1;
  for (const DType dtype : values) widest = std::max(widest, size_of(dtype));
  return widest;
}

std::optional<Program> compile(const std::vector<NodeRef>& roots, const Targets& targets, NeedsTarget& needs) {
  Program program;
  program.shape = roots.at(0)->shape;
  Compiler compiler(targets, program);
  for (const NodeRef& root : roots) {
    PENSTOCK_CHECK(root->shape == program.shape);
    if (!compiler.compile(root, needs)) return std::nullopt;
  }
  return program;
}

std::string program_text(const Program& program) {
  std::string text;
  const auto name = [&](const Operand& operand) -> std::string {
    switch (operand.kind) {
      case Operand::Kind::kMemory:
        return "memory";
      case Operand::Kind::kFile:
        return operand.file->path();
      case Operand::Kind::kTarget:
        return cat("result ", operand.target);
      case Operand::Kind::kConstant:
        return "constant";
      case Operand::Kind::kIota:
        return "arange";
    }
    return "";
  };
  for (const Operand& operand : program.operands) {
    text += cat("v", operand.value, " = ", name(operand), " ", name_of(operand.dtype), "\n");
  }
  for (const Instruction& each : program.instructions) {
    text += cat("v", each.output, " = ", each.cast ? "astype" : row(each.op).name);
    for (int i = 0; i < each.count; ++i) text += cat(" v", each.inputs[i]);
    text += cat(" -> ", name_of(each.to), "\n");
  }
  return text;
}

}  // namespace penstock::run
