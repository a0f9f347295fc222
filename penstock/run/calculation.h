// SPDX-License-Identifier: Apache-2.0
// An elementwise expression over operands in memory that one loop calculates row by row: in a row each operand lies
// element after element, or is one element that stands for all. Of operands that lie in steps or have to be converted
// some elements at a time are made so.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/kernel/generate.h"
#include "penstock/run/donate.h"

namespace penstock::run {

/// Plain operations in the time of one of this function, roughly.
std::int64_t cost_of(Op op, DType dtype);
/// The same of an element whose calculation takes `cost`, with the reading of `bytes` of operands.
inline std::int64_t operations_of(std::int64_t cost, std::int64_t bytes) {
  constexpr std::int64_t kBytes = 4;  // read in the time of an operation
  return cost + bytes / kBytes + 1;
}

class Calculation {
 public:
  /// What became of reading an expression.
  enum class Found { kReady, kOther, kNeeds };

  /// Reads the expression of `root`, once. kOther: no single loop calculates it. kNeeds: it does once
  /// `needed()`, a reduction, is evaluated. The caller holds graph_mutex().
  Found read(const graph::Node& root);
  const graph::NodeRef& needed() const { return needed_; }

  /// Gives the result, of `root`, the memory of an operand where it can. The caller holds graph_mutex().
  void donate(const graph::Node& root, Donation& donation) const;

  /// Finds or makes the loop; false where the system forbids making one.
  bool make_loop(const kernel::Table& table);

  /// Elements [first, first + n) of the expression at `out`. With `streams` by non-temporal stores, which Table::fence
  /// ends.
  void run(std::int64_t first, std::int64_t n, std::byte* out, bool streams) const;

  /// The elements themselves, where the expression is an operand that needs no calculation; else null.
  const std::byte* plain() const;

  DType dtype() const { return dtype_; }
  /// Bytes of operands for each element, and those of them that are packed.
  std::int64_t bytes_read() const;
  std::int64_t bytes_packed() const;
  /// Plain operations for each element, roughly.
  std::int64_t cost() const;
  /// The same of all steps and of reading the operands.
  std::int64_t operations() const;
  /// Whether writing the n elements, the first at `out` and `step` bytes from one to the next, in order, destroys what
  /// is still to be read.
  bool clashes_with(const std::byte* out, std::int64_t n, std::int64_t step) const;

 private:
  struct Leaf {
    std::shared_ptr<memory::Memory> kept;
    graph::Scalar value;  // of a constant
    Layout layout;        // over the shape of the expression, from data on; without dimensions: of a constant
    const std::byte* data = nullptr;
    std::int64_t row = 0;           // bytes from row to row
    std::int64_t element = 0;       // bytes from element to element in a row; 0: one stands for all
    DType from = DType::k_float32;  // as it is stored
    DType to = DType::k_float32;    // as it is calculated with

    std::int64_t size() const { return size_of(from); }
    bool packs() const { return element != 0 && element != size(); }
    bool converts() const { return from != to; }
    bool ready() const { return !packs() && !converts(); }
    const std::byte* at(std::int64_t at_row, std::int64_t column) const {
      return data == nullptr ? value.bytes : data + at_row * row + column * element;
    }
  };

  bool add(const graph::NodeRef& node, int& value);
  bool add_leaf(const graph::Node& node, int& value);
  bool add_step(const graph::Node& node, int& value);
  bool arrange_rows();
  bool joins(std::size_t axis) const;
  bool is_single_kernel() const;
  bool is_regular(const Leaf& leaf) const;
  bool choose_at_once();
  const std::byte* made_ready(const Leaf& leaf, const std::byte* from, std::int64_t n, std::byte* (&room)[2]) const;
  void run_row(std::int64_t row, std::int64_t column, std::int64_t n, std::byte* out, bool streams) const;

  const Dims* shape_ = nullptr;
  DType dtype_ = DType::k_float32;
  std::int64_t columns_ = 0;  // elements of a row
  std::int64_t at_once_ = 0;  // elements of a row that one call of the loop takes at most
  bool one_row_ = true;
  graph::NodeRef needed_;
  std::vector<Leaf> leaves_;
  std::vector<std::pair<const graph::Node*, int>> values_;  // leaves from 0 on, steps from -2 down
  kernel::Recipe recipe_;
  std::shared_ptr<const kernel::Generated> loop_;
  const kernel::Table* table_ = nullptr;
  kernel::Elementwise kernel_ = nullptr;
  kernel::Elementwise streaming_ = nullptr;
};

}  // namespace penstock::run
