// SPDX-License-Identifier: Apache-2.0
// The door for operators whose smallest step may need more memory than there is, or which would read their inputs over
// and over by small steps: they go over them a few times, in an order of their own, with scratch files between.
#pragma once

#include <cstdint>
#include <functional>

#include "penstock/graph/operator.h"
#include "penstock/run/crew.h"

namespace penstock::run {

/// An operator's inputs and its output, box by box.
class Access {
 public:
  virtual ~Access() = default;

  /// The box of input `k`, until the next one of it is read.
  virtual graph::Lease read(std::size_t k, const graph::Box& box) = 0;
  /// Calls `fill` with room for a box of the output, its last axis contiguous, and writes it to where it belongs. A box
  /// may be written again.
  virtual void write(const graph::Box& box, const std::function<void(const graph::Lease&)>& fill) = 0;
  /// Bytes of the budget that are free, for reading, writing and whatever the operator takes besides.
  virtual std::int64_t available() const = 0;
  virtual Crew crew() const = 0;
};

class InPasses : public graph::Operator {
 public:
  /// Bytes that it needs at least, if it goes by passes.
  virtual std::int64_t least_bytes() const = 0;
  /// Whether passes take less time than steps of at most so many bytes, where inputs are read from files.
  virtual bool passes_pay(std::int64_t /*bytes*/) const { return false; }
  /// Computes the whole output. Throws what the crew's tick throws, NoSpaceError and FileError.
  virtual void compute_in_passes(Access& access) const = 0;
};

}  // namespace penstock::run
