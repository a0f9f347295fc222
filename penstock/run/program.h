// SPDX-License-Identifier: Apache-2.0
// A program: what one pipeline computes at each element of its iteration space, as straight-line data.
//
//   operands        v0 = photos.npy (uint8)   v1 = constant 2 (float32)
//   instructions    v2 = cast v0 -> float32   v3 = multiply v2 v1
//   outputs         v3
//
// Values are numbered and assigned once. Views are gone: they live in the operands' layouts, which all have the
// iteration space's shape. Equal operands and equal instructions appear once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/graph/node.h"

namespace penstock::run {

struct Operand {
  enum class Kind : std::uint8_t { kMemory, kFile, kTarget, kConstant, kIota };
  Kind kind = Kind::kConstant;
  DType dtype = DType::k_float32;
  bool swapped = false;                     // big-endian in the file
  std::shared_ptr<memory::Memory> memory;   // kMemory
  std::shared_ptr<store::FileSource> file;  // kFile
  int target = -1;                          // kTarget: another target of the plan, evaluated before
  graph::Scalar start;                      // kConstant, kIota
  graph::Scalar delta;                      // kIota
  Layout layout;                            // bytes; of kIota: elements
  int value = -1;
};

struct Instruction {
  bool cast = false;
  Op op = Op::k_add;
  DType from = DType::k_float32;  // of a cast; else the compute dtype
  DType to = DType::k_float32;    // the result's dtype
  int inputs[kMaxArity] = {-1, -1, -1};
  int count = 0;
  int output = -1;
};

struct Program {
  Dims shape;  // of the iteration space
  std::vector<Operand> operands;
  std::vector<Instruction> instructions;
  std::vector<DType> values;  // dtype of each value
  std::vector<int> outputs;   // values

  std::int64_t size() const { return count(shape); }
  std::int64_t widest() const;  // bytes of the largest value dtype
};

/// Nodes computed as targets of their own: they are operands to everything above them.
using Targets = std::map<const graph::Node*, int>;

/// The node whose elements have to be laid out in memory before a program can reach them: a reshape meets strides that
/// can't express it.
struct NeedsTarget {
  graph::NodeRef node;
};

/// Compiles `roots` (all of one shape) into one program. Nothing when a node must become a target first; it is put into
/// `needs`.
std::optional<Program> compile(const std::vector<graph::NodeRef>& roots, const Targets& targets, NeedsTarget& needs);

/// Text of the program, one line a value; for plans.
std::string program_text(const Program& program);

}  // namespace penstock::run
