// SPDX-License-Identifier: Apache-2.0
// Results that are read more than once, and those whose size depends on values: they lie in memory where that leaves
// the better part of the budget free, otherwise in a scratch file that goes with the last array that reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/memory/buffer.h"
#include "penstock/run/monitor.h"
#include "penstock/store/scratch_file.h"

namespace penstock::run {

/// A node of the same elements which reads them and computes nothing: the node itself where its elements lie in memory
/// or in a file already, or find room in memory. Throws BudgetError with the figures where not even a tile fits,
/// NoSpaceError and FileError of the scratch file.
graph::NodeRef keep(const graph::NodeRef& node, const Options& options = {});

/// How many of n elements are looked at at once where each takes so many bytes: few enough for what is free of the
/// budget.
std::int64_t piece_of(std::int64_t n, std::int64_t bytes);

/// A vector of n elements that are made piece by piece, first to last.
class Collector {
 public:
  /// Throws NoSpaceError and FileError where memory has no room and a scratch file cannot be made.
  Collector(DType dtype, std::int64_t n, const char* what);

  /// Where the next elements go, `most` at most, until the next call of any function. Throws BudgetError where they are
  /// on their way to a file and the budget has no room for so many.
  std::byte* room(std::int64_t most);
  /// So many of them have been written there.
  void take(std::int64_t elements);
  std::int64_t taken() const { return taken_; }
  std::int64_t size() const { return n_; }
  /// Whether the elements go to memory, where there is room for all of them at once.
  bool in_memory() const { return scratch_ == nullptr; }

  /// The vector, once all its elements have been taken.
  graph::NodeRef finish();

 private:
  DType dtype_;
  std::int64_t n_;
  std::int64_t taken_ = 0;
  memory::Buffer buffer_;  // all of it, or a piece on its way to the file
  std::shared_ptr<store::ScratchFile> scratch_;
};

}  // namespace penstock::run
