// SPDX-License-Identifier: Apache-2.0
// The door for operations that are no row of a table: matrix products, and whatever reads its operands in another order
// than it writes its result.
//
// An operator cuts its work into steps. A step names a box of the output and the box of each input that it reads, so
// that the engine knows what memory it takes before anything is read; it lends the operator those boxes as plain
// memory. Operators break pipelines: inputs are computed before, and what reads the result comes after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock::graph {

/// Elements [begin, begin + shape) of an array.
struct Box {
  Dims begin;
  Dims shape;

  bool operator==(const Box&) const = default;
};

/// All elements of an array of this shape.
inline Box whole(const Dims& shape) { return {Dims(shape.size(), 0), shape}; }

/// A part of an operator's work. Steps of one output box follow each other; the first of them writes it, the others add
/// to what it holds. Boxes of different outputs do not overlap, and together they are the whole output.
struct Step {
  Box output;
  std::vector<Box> inputs;
  bool first = true;
};

/// A box as memory: its first element is at `data`, layout.shape is the box's, layout.offset 0.
struct Lease {
  std::byte* data = nullptr;
  Layout layout;
};

/// What a step is lent. Inputs may overlap each other and lie anywhere, aligned to their element type or not; they are
/// not to be written. The output's last axis is contiguous, and it overlaps no input.
struct Leases {
  std::vector<Lease> inputs;
  Lease output;
  std::byte* state = nullptr;  // what steps hand on to later ones: state_bytes() bytes, zeros before the first step
  std::int64_t scratch = 0;    // bytes that compute() may take from the pool
  int threads = 1;             // that compute() may use
  std::function<void()> tick;  // to be called every few milliseconds, from any thread; throws to stop the work
};

class Operator {
 public:
  virtual ~Operator() = default;

  /// For messages and plans: "matmul".
  virtual std::string text() const = 0;

  /// The work in steps whose boxes take at most `bytes` together, as far as it can be cut so fine; in one where that is
  /// little enough.
  virtual std::vector<Step> steps(std::int64_t bytes) const = 0;

  /// Bytes that compute() takes from the pool for this step with so many threads.
  virtual std::int64_t scratch_bytes(const Step& step, int threads) const = 0;

  /// Bytes that these steps, which are computed one after the other, hand on to each other.
  virtual std::int64_t state_bytes(const std::vector<Step>& /*steps*/) const { return 0; }

  /// Computes a step. Throws what tick() throws, and nothing else.
  virtual void compute(const Step& step, const Leases& leases) const = 0;
};

}  // namespace penstock::graph
