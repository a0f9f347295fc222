// SPDX-License-Identifier: Apache-2.0
// A random expression from bytes, made twice at once: as a lazy graph and as plain values, which the graph has to give
// however it is evaluated (fuzz/try_graph.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/run/plain_reduce.h"
#include "penstock/run/settings.h"

namespace penstock::fuzz {

using graph::NodeRef;
using run::Plain;

/// Decisions read from bytes; all 0 behind their end.
class Draw {
 public:
  explicit Draw(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return at_ >= bytes_.size(); }
  std::uint64_t byte() { return empty() ? 0 : bytes_[at_++]; }
  /// In [0, n), n at most 65,536.
  std::int64_t below(std::int64_t n) {
    const std::uint64_t value = n <= 256 ? byte() : byte() * 256 + byte();
    return static_cast<std::int64_t>(value % static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1)));
  }
  bool one_in(std::int64_t n) { return below(n) == n - 1; }
  template <class T, std::size_t kCount>
  const T& among(const T (&choices)[kCount]) {
    return choices[below(kCount)];
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

/// One value of the expression.
struct Entry {
  NodeRef node;
  Plain plain;
  bool rounds_by_fma = false;  // a maths function is behind it: other bits on targets without FMA
};

/// Whether the bits of a function depend on the machine's having FMA.
inline bool uses_fma(Op op, DType compute) {
  switch (op) {
#define PENSTOCK_MATHS(name, arity, bound32, bound64) case Op::k_##name:
#include "penstock/simd/maths.def"
#undef PENSTOCK_MATHS
    return true;
    case Op::k_add:
    case Op::k_subtract:
    case Op::k_negative:
    case Op::k_positive:
    case Op::k_conj:
    case Op::k_real:
    case Op::k_imag:
    case Op::k_equal:
    case Op::k_not_equal:
    case Op::k_where:
    case Op::k_isfinite:
    case Op::k_isinf:
    case Op::k_isnan:
      return false;
    default:
      return kind_of(compute) == Kind::kComplex;
  }
}

class RandomGraph {
 public:
  static constexpr std::int64_t kMostElements = 6000;

  RandomGraph(Draw& draw, const TemporaryDirectory& directory) : draw_(draw), directory_(directory) {
    const std::int64_t leaves = 1 + draw_.below(3);
    for (std::int64_t i = 0; i < leaves; ++i) add_leaf();
    const std::int64_t steps = 1 + draw_.below(14);
    for (std::int64_t i = 0; i < steps; ++i) {
      add_step();
      if (draw_.one_in(12)) run::evaluated(entries_.back().node);
    }
  }

  const std::vector<Entry>& entries() const { return entries_; }

  /// Entries to be asked for: the last one, and now and then others.
  std::vector<Entry> roots() {
    std::vector<Entry> found{entries_.back()};
    while (draw_.one_in(3)) found.push_back(pick());
    return found;
  }

  std::string text() const { return text_; }

  std::string name_of_entry(const NodeRef& node) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].node == node) return cat("e", i);
    }
    return "?";
  }

 private:
  std::string name_of_entry(const Entry& entry) const { return name_of_entry(entry.node); }

  const Entry& pick() {
    const auto n = static_cast<std::int64_t>(entries_.size());
    // Recent ones more often: deep expressions.
    const std::int64_t back = draw_.one_in(2) ? draw_.below(n) : draw_.below(std::min<std::int64_t>(n, 3));
    return entries_[static_cast<std::size_t>(n - 1 - back)];
  }

  void add(std::string what, NodeRef node, Plain plain, bool rounds_by_fma) {
    text_ += cat("e", entries_.size(), " = ", what, ": ", name_of(plain.dtype), " ", shape_text(plain.shape), "\n");
    PENSTOCK_CHECK(node->dtype == plain.dtype && node->shape == plain.shape, text_, name_of(node->dtype), " ",
                   shape_text(node->shape));
    entries_.push_back({std::move(node), std::move(plain), rounds_by_fma});
  }

  DType any_dtype() {
    const auto dtype = static_cast<DType>(draw_.below(kDTypeCount));
    return dtype == DType::k_float16 ? DType::k_float32 : dtype;
  }

  Dims any_shape() {
    static constexpr std::int64_t kExtents[] = {3, 1, 2, 7, 33, 64, 65, 5, 130, 600, 31, 32, 63, 0, 1025, 2049};
    Dims shape;
    const std::int64_t rank = draw_.below(5);
    for (std::int64_t d = 0; d < rank; ++d) {
      std::int64_t extent = draw_.among(kExtents);
      if (count(shape) * extent > kMostElements) extent = 1 + draw_.below(3);
      if (count(shape) * extent > kMostElements) extent = 1;
      shape.push_back(extent);
    }
    return shape;
  }

  // -- Leaves ---------------------------------------------------------------------------------------------------------

  void add_leaf() {
    const std::int64_t kind = draw_.below(8);
    if (kind == 0) return add_iota();
    if (kind == 1) return add_constant(any_dtype(), any_shape());
    const DType dtype = draw_.one_in(14) ? DType::k_float16 : any_dtype();
    const Dims shape = !entries_.empty() && draw_.one_in(2) ? entries_.back().plain.shape : any_shape();
    const Plain values = values_for(dtype, shape);
    NodeRef node;
    std::string where;
    switch (kind) {
      case 2:
      case 3:
        node = file_of(values, where);
        break;
      case 4:
        node = run::transposed_node_of(values);
        where = "memory, transposed";
        break;
      case 5:
        node = strided(values);
        where = "memory, strided";
        break;
      default:
        node = run::node_of(values);
        where = "memory";
    }
    add(where, node, values, false);
    // Computed with in float32, as the front door does it.
    if (dtype == DType::k_float16) {
      const NodeRef wide = graph::make_cast(node, DType::k_float32);
      Plain plain = run::plain::cast(values, DType::k_float32);
      entries_.pop_back();
      add("float16", wide, std::move(plain), false);
    }
  }

  Plain values_for(DType dtype, const Dims& shape) {
    Plain values = run::random_plain(dtype, shape, draw_.byte());
    if (!draw_.one_in(4)) {
      // Small numbers keep sums and products from ending as NaN.
      Plain small(DType::k_int8, shape);
      const std::uint64_t seed = draw_.byte();
      for (std::int64_t i = 0; i < small.size(); ++i) {
        small.as<std::int8_t>()[i] =
            static_cast<std::int8_t>((static_cast<std::uint64_t>(i) * 2654435761u + seed * 97) >> 7 & 7);
      }
      values = run::plain::cast(small, dtype);
    }
    return values;
  }

  void add_constant(DType dtype, const Dims& shape) {
    const Plain one = values_for(dtype, {});
    graph::Scalar value;
    value.dtype = dtype;
    std::memcpy(value.bytes, one.bytes.data(), one.bytes.size());
    add("constant", graph::make_constant(value, shape), run::plain::broadcast_to(one, shape), false);
  }

  void add_iota() {
    static constexpr DType kCounted[] = {DType::k_int64, DType::k_int32, DType::k_uint8, DType::k_float64,
                                         DType::k_float32};
    const DType dtype = draw_.among(kCounted);
    const Dims shape = any_shape();
    visit(dtype, [&]<class T>() {
      if constexpr (std::is_arithmetic_v<T>) {
        const auto start = graph::Scalar::of(static_cast<T>(draw_.below(100)));
        const auto delta = graph::Scalar::of(static_cast<T>(draw_.below(7)));
        add("arange", graph::make_iota(start, delta, shape), run::plain::iota(start, delta, shape), false);
      }
    });
  }

  NodeRef file_of(const Plain& values, std::string& where) {
    const std::string path = directory_.put(cat("leaf", entries_.size(), ".npy"), run::npy_text(values));
    where = "file";
    if (!draw_.one_in(3)) return run::file_node(path);
    where = "file, big-endian";
    std::string bytes(reinterpret_cast<const char*>(values.bytes.data()), values.bytes.size());
    const bool complex = kind_of(values.dtype) == Kind::kComplex;
    const auto part = static_cast<std::ptrdiff_t>(size_of(values.dtype) / (complex ? 2 : 1));
    for (auto at = bytes.begin(); at != bytes.end(); at += part) std::reverse(at, at + part);
    const std::string raw = directory_.put(cat("leaf", entries_.size(), ".raw"), "12345" + bytes);
    return graph::make_file(store::open_raw(raw, values.dtype, values.shape, 5, true));
  }

  /// Every second element of a larger array, the last axis backwards.
  static NodeRef strided(const Plain& values) {
    Dims wide = values.shape;
    for (std::int64_t& extent : wide) extent *= 2;
    const std::int64_t size = size_of(values.dtype);
    Layout layout = contiguous(wide, size);
    auto memory = std::make_shared<run::Borrowed>(count(wide) * size);
    layout.shape = values.shape;
    for (std::int64_t& stride : layout.strides) stride *= 2;
    if (!layout.shape.empty() && layout.shape.back() > 0) layout = view_flip(layout, {layout.rank() - 1});
    put_plain(memory->data(), layout, values);
    return graph::make_memory(values.dtype, std::move(memory), std::move(layout));
  }

  static void put_plain(std::byte* base, const Layout& layout, const Plain& values) {
    for (std::int64_t i = 0; i < values.size(); ++i) {
      const Dims indices = run::plain::indices_of(i, values.shape);
      std::int64_t offset = layout.offset;
      for (std::size_t d = 0; d < indices.size(); ++d) offset += indices[d] * layout.strides[d];
      std::memcpy(base + offset, values.at(i), static_cast<std::size_t>(size_of(values.dtype)));
    }
  }

  // -- Steps ----------------------------------------------------------------------------------------------------------

  void add_step() {
    switch (draw_.below(16)) {
      default:
        return add_elementwise();
      case 6:
        return add_cast();
      case 7:
        return add_index();
      case 8:
        return add_permute();
      case 9:
        return add_flip();
      case 10:
        return add_broadcast();
      case 11:
        return add_reshape();
      case 12:
      case 13:
        return add_reduce();
      case 14:
        return draw_.one_in(3) ? add_histogram() : add_concat();
      case 15:
        return add_assign();
    }
  }

  static bool broadcasts(const Dims& a, const Dims& b) {
    try {
      return count(broadcast(a, b)) <= kMostElements;
    } catch (const ShapeError&) {
      return false;
    }
  }

  void add_elementwise() {
    const Op op = static_cast<Op>(draw_.below(kOpCount));
    // The sign of a NaN is nobody's promise.
    if (op == Op::k_signbit || op == Op::k_copysign) return add_cast();
    std::vector<Entry> operands;
    Dims shape;
    std::string what = row(op).name;
    while (static_cast<int>(operands.size()) < row(op).arity) {
      Entry operand = pick();
      if (!broadcasts(shape, operand.plain.shape)) {
        add_constant(operand.plain.dtype, {});
        operand = entries_.back();
      }
      shape = broadcast(shape, operand.plain.shape);
      what += " " + name_of_entry(operand);
      operands.push_back(std::move(operand));
    }
    std::vector<DType> dtypes;
    std::vector<NodeRef> nodes;
    std::vector<Plain> plains;
    bool fma = false;
    for (const Entry& each : operands) {
      dtypes.push_back(each.plain.dtype);
      nodes.push_back(each.node);
      plains.push_back(each.plain);
      fma = fma || each.rounds_by_fma;
    }
    try {
      fma = uses_fma(op, infer_elementwise(op, dtypes).compute) || fma;
    } catch (const DTypeError&) {
      return add_cast();
    }
    add(what, graph::make_elementwise(op, nodes), run::plain::elementwise(op, plains), fma);
  }

  void add_cast() {
    const Entry in = pick();
    const DType dtype = any_dtype();
    add("astype " + name_of_entry(in), graph::make_cast(in.node, dtype), run::plain::cast(in.plain, dtype),
        in.rounds_by_fma);
  }

  std::vector<Index> any_index(const Dims& shape, bool new_axes) {
    std::vector<Index> indices;
    for (const std::int64_t extent : shape) {
      if (new_axes && draw_.one_in(6)) indices.push_back({Index::Type::kNewAxis, 0, {}, 1, false});
      if (draw_.one_in(6)) break;
      const std::int64_t kind = draw_.below(5);
      if (kind == 0 && extent > 0) {
        indices.push_back({Index::Type::kInteger, draw_.below(std::min<std::int64_t>(extent, 65536)), {}, 1, false});
      } else if (kind <= 2) {
        indices.push_back({});
      } else {
        Index slice{Index::Type::kSlice, draw_.below(20) - 4, {}, 1, true};
        static constexpr std::int64_t kSteps[] = {1, 2, -1, 3, -2, 50};
        slice.step = draw_.among(kSteps);
        if (slice.step < 0)
          slice.start = extent - 1 - draw_.below(4);
        else if (draw_.one_in(3))
          slice.stop = extent - draw_.below(4);
        indices.push_back(slice);
      }
    }
    return indices;
  }

  void add_view(std::string what, const Entry& in, graph::View view, Plain plain) {
    add(what + " " + name_of_entry(in), graph::make_view(in.node, std::move(view)), std::move(plain), in.rounds_by_fma);
  }

  void add_index() {
    const Entry in = pick();
    const std::vector<Index> indices = any_index(in.plain.shape, in.plain.shape.size() < 5);
    add_view("index", in, {graph::View::Type::kIndex, indices, {}, {}}, run::plain::index(in.plain, indices));
  }

  void add_permute() {
    const Entry in = pick();
    std::vector<int> axes(in.plain.shape.size());
    std::iota(axes.begin(), axes.end(), 0);
    for (std::size_t i = axes.size(); i-- > 1;) {
      std::swap(axes[i], axes[static_cast<std::size_t>(draw_.below(static_cast<std::int64_t>(i + 1)))]);
    }
    add_view("permute", in, {graph::View::Type::kPermute, {}, axes, {}}, run::plain::permute(in.plain, axes));
  }

  std::vector<int> any_axes(std::size_t rank) {
    std::vector<int> axes;
    for (std::size_t d = 0; d < rank; ++d) {
      if (draw_.one_in(2)) axes.push_back(static_cast<int>(d));
    }
    return axes;
  }

  void add_flip() {
    const Entry in = pick();
    const std::vector<int> axes = any_axes(in.plain.shape.size());
    add_view("flip", in, {graph::View::Type::kFlip, {}, axes, {}}, run::plain::flip(in.plain, axes));
  }

  void add_broadcast() {
    const Entry in = pick();
    Dims shape = in.plain.shape;
    for (std::int64_t& extent : shape) {
      if (extent == 1 && draw_.one_in(2)) extent = 1 + draw_.below(70);
    }
    if (draw_.one_in(2)) shape.insert(shape.begin(), 1 + draw_.below(9));
    if (count(shape) > kMostElements || shape.size() > 6) return add_flip();
    add_view("broadcast", in, {graph::View::Type::kBroadcast, {}, {}, shape},
             run::plain::broadcast_to(in.plain, shape));
  }

  void add_reshape() {
    const Entry in = pick();
    std::int64_t left = in.plain.size();
    Dims shape;
    while (shape.size() < 4 && left > 1 && !draw_.one_in(3)) {
      std::int64_t factor = 2 + draw_.below(12);
      while (left % factor != 0) factor = factor < left ? factor + 1 : left;
      shape.push_back(factor);
      left /= factor;
    }
    if (left != 1 || draw_.one_in(4)) shape.push_back(left);
    add_view("reshape", in, {graph::View::Type::kReshape, {}, {}, shape}, run::plain::reshape(in.plain, shape));
  }

  void add_reduce() {
    const Entry in = pick();
    const auto reduction = static_cast<Reduction>(draw_.below(kReductionCount));
    std::vector<int> axes = any_axes(in.plain.shape.size());
    if (row(reduction).accumulator == Accumulator::kIndex && axes.size() > 1) axes = {axes[0]};
    const bool keepdims = draw_.one_in(2);
    try {
      accumulator_of(reduction, in.plain.dtype);
      reduced_shape(reduction, in.plain.shape, axes, keepdims);
    } catch (const Error&) {
      return add_cast();
    }
    add(cat(row(reduction).name, " over ", axes.size(), " axes from ", axes.empty() ? -1 : axes[0], " of ",
            name_of_entry(in)),
        graph::make_reduce(reduction, in.node, axes, keepdims), run::plain::reduce(reduction, in.plain, axes, keepdims),
        in.rounds_by_fma);
  }

  void add_histogram() {
    const Entry in = pick();
    static constexpr double kWidths[] = {1, 0.1, 100, 1e-3};
    std::vector<double> edges{static_cast<double>(draw_.below(9)) - 2};
    const double width = draw_.among(kWidths);
    const std::int64_t bins = 1 + draw_.below(9);
    const bool even = draw_.one_in(2);
    const double first = edges[0];
    for (std::int64_t b = 1; b <= bins; ++b) {
      edges.push_back(even ? first + static_cast<double>(b) * width
                           : edges.back() + width * static_cast<double>(1 + draw_.below(3)));
    }
    const double scale = even ? static_cast<double>(bins) / (edges.back() - first) : 0;
    add("histogram " + name_of_entry(in), graph::make_histogram(in.node, edges, scale),
        run::plain::histogram(in.plain, edges), in.rounds_by_fma);
  }

  /// Two entries side by side along the first axis.
  void add_concat() {
    const Entry a = pick();
    const Entry other = pick();
    if (a.plain.shape.empty() || a.plain.size() * 2 > kMostElements) return add_index();
    const bool fits = other.plain.shape == a.plain.shape;
    const Entry& b = fits ? other : a;
    Dims shape = a.plain.shape;
    const std::int64_t extent = shape[0];
    shape[0] = 2 * extent;
    const std::vector<Index> first{{Index::Type::kSlice, 0, extent, 1, true}};
    const std::vector<Index> second{{Index::Type::kSlice, extent, 2 * extent, 1, true}};
    Plain plain(a.plain.dtype, shape);
    run::plain::assign(plain, first, a.plain);
    run::plain::assign(plain, second, run::plain::cast(b.plain, a.plain.dtype));
    const NodeRef right = graph::make_cast(b.node, a.plain.dtype);
    add(cat("concat ", name_of_entry(a), " ", name_of_entry(b)),
        graph::make_pieces(a.plain.dtype, shape, {a.node, right}, {first, second}), std::move(plain),
        a.rounds_by_fma || b.rounds_by_fma);
  }

  /// A part of one entry replaced by another: later parts win.
  void add_assign() {
    const Entry a = pick();
    const Entry b = pick();
    const std::vector<Index> place = any_index(a.plain.shape, false);
    const Dims part = run::plain::named(place, a.plain.shape).first;
    const auto whole = std::vector<Index>{};
    Plain value = run::plain::cast(b.plain, a.plain.dtype);
    NodeRef node = graph::make_cast(b.node, a.plain.dtype);
    const bool fits = broadcasts(value.shape, part) && broadcast(value.shape, part) == part;
    if (!fits) {
      value = run::plain::cast(values_for(DType::k_int8, {}), a.plain.dtype);
      node = run::node_of(value);
    }
    value = run::plain::broadcast_to(value, part);
    if (node->shape != part) node = graph::make_view(node, {graph::View::Type::kBroadcast, {}, {}, part});
    Plain plain = a.plain;
    run::plain::assign(plain, place, value);
    add(cat("assign ", name_of_entry(fits ? b : a), " to a part of ", name_of_entry(a)),
        graph::make_pieces(a.plain.dtype, a.plain.shape, {a.node, node}, {whole, place}), std::move(plain),
        a.rounds_by_fma || b.rounds_by_fma);
  }

  Draw& draw_;
  const TemporaryDirectory& directory_;
  std::vector<Entry> entries_;
  std::string text_;
};

}  // namespace penstock::fuzz
