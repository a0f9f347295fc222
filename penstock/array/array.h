// SPDX-License-Identifier: Apache-2.0
// Arrays: lazy values of any size. Functions make graph nodes; numbers are computed when somebody looks.
//
//   using namespace penstock;
//   Array u = open("u.npy"), v = open("v.npy");
//   save(sqrt(u * u + v * v), "speed.npy");
#pragma once

#include <complex>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/graph/node.h"
#include "penstock/run/execute.h"
#include "penstock/store/npy_sink.h"
#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"

namespace penstock {

/// A handle to a lazy value. Copies are cheap and never alias: assignment to a part gives this handle a new value.
/// The handle of an element (a[3]) is its value; all others refer to a node.
class Array {
 public:
  Array() = default;
  explicit Array(graph::NodeRef node) : node_(std::move(node)) {}
  explicit Array(const graph::Scalar& element) : element_(element) {}

  DType dtype() const { return node_ ? node_->dtype : element_.dtype; }
  const Dims& shape() const { return node_ ? node_->shape : kNoDims; }
  int ndim() const { return static_cast<int>(shape().size()); }
  std::int64_t size() const { return node_ ? node_->size() : 1; }
  std::int64_t nbytes() const { return node_ ? node_->bytes() : size_of(element_.dtype); }
  /// The node; of an element a new one.
  graph::NodeRef node() const { return node_ ? node_ : node_of(element_); }
  /// As node(), where there is one already: null for an element.
  const graph::Node* held_node() const { return node_.get(); }
  /// The value, where the handle is one.
  const graph::Scalar* element() const { return node_ ? nullptr : &element_; }

  /// Whether the elements lie in memory, so that looking at them costs nothing.
  bool evaluated() const;

  /// Evaluates if need be; the elements in memory, and their layout.
  graph::InMemory data(const run::Options& options = {}) const;

  /// The only element, converted; throws ShapeError for any other number of elements.
  template <class T>
  T item() const;

  /// The part named by basic indices (integers, slices, new axes); a view, but for elements of memory.
  Array operator[](std::span<const Index> indices) const;
  Array operator[](std::initializer_list<Index> indices) const {
    return (*this)[std::span(indices.begin(), indices.size())];
  }

  /// The part named by one integer or slice of the first axis; of a vector in memory the shortest way there is.
  Array at(const Index& index) const;

  /// Gives this handle the value in which the named part is `value` (broadcast, converted). In place when nobody else
  /// holds the elements; other handles keep the old value.
  void assign(std::span<const Index> indices, const Array& value);

 private:
  static const Dims kNoDims;
  static graph::NodeRef node_of(const graph::Scalar& element);
  static Array element_of(DType dtype, const graph::InMemory& in, std::int64_t offset);

  graph::NodeRef node_;  // null: an element
  graph::Scalar element_;
};

/// What Array::assign gives a handle whose node has `holders` references by all accounts but other handles': a new
/// value, or nothing when the elements were written in place.
std::optional<Array> assigned(const graph::NodeRef& node, std::span<const Index> indices, const Array& value,
                              long holders);

/// A number that promotes weakly: it takes the dtype of the array it meets, as far as that can hold its kind.
struct Number {
  Kind kind;
  std::variant<bool, std::int64_t, std::uint64_t, double, std::complex<double>> value;
};

/// An operand: an array or a number.
class Operand {
 public:
  Operand(Array array) : content_(std::move(array)) {}
  Operand(const void*) = delete;  // no truth value
  /// Nobody changes or destroys the array while the operand is in use.
  static Operand borrowed(const Array& array) { return Operand(Content(&array)); }
  Operand(bool value) : content_(Number{Kind::kBool, value}) {}
  Operand(int value) : content_(Number{Kind::kInt, static_cast<std::int64_t>(value)}) {}
  Operand(std::int64_t value) : content_(Number{Kind::kInt, value}) {}
  Operand(std::uint64_t value) : content_(Number{Kind::kInt, value}) {}
  Operand(double value) : content_(Number{Kind::kFloat, value}) {}
  Operand(std::complex<double> value) : content_(Number{Kind::kComplex, value}) {}

  const Array* array() const {
    if (const auto* borrowed = std::get_if<const Array*>(&content_)) return *borrowed;
    return std::get_if<Array>(&content_);
  }
  const Number* number() const { return std::get_if<Number>(&content_); }

 private:
  using Content = std::variant<const Array*, Array, Number>;
  explicit Operand(Content content) : content_(std::move(content)) {}

  Content content_;
};

// Doors.

/// A .npy file as a lazy array; see store::open_npy for errors. float16 is read as float32.
Array open(const std::string& path, bool strict = false, std::string* warning = nullptr);
/// A file of bare elements; see store::open_raw.
Array open_raw(const std::string& path, DType dtype, std::optional<Dims> shape = {}, std::int64_t offset = 0);
/// Memory of somebody else, kept alive by `memory`; read when evaluated, never written.
Array borrow(DType dtype, std::shared_ptr<memory::Memory> memory, Layout layout);

/// Evaluates several arrays in as few passes as fusion allows; they keep their elements.
void evaluate(const std::vector<Array>& arrays, const run::Options& options = {});
/// Arrays of the same elements that are to be read more than once: in memory where that leaves the better part of the
/// budget free, else in scratch files (run/keep.h).
std::vector<Array> kept(const std::vector<Array>& arrays, const run::Options& options = {});
/// Evaluates an array where that takes some tens of microseconds and waits for no other evaluation; false, with the
/// array as it was, where it may take longer.
bool evaluate_briefly(const Array& array);
/// Writes a durable .npy file in C order; several in one pass. Nothing is left behind on an error.
void save(const Array& array, const std::string& path, bool overwrite = true, const run::Options& options = {});
/// Evaluates into memory of the caller (`out=`): any strides; overlap with operands is resolved. Throws ShapeError and
/// DTypeError unless shape and dtype agree.
void evaluate_into(const Array& array, DType dtype, std::shared_ptr<memory::Memory> memory, const Layout& layout,
                   const run::Options& options = {});
/// What evaluate() (or save() to `path`, as far as it is known) would do.
run::PlanReport plan(const std::vector<Array>& arrays, bool to_files = false, const std::string& path = "");

// Elementwise functions: one for each row of op/elementwise.def, of the row's name.

/// Any row by number; operands broadcast and promote.
Array elementwise(Op op, std::span<const Operand> operands);
inline Array elementwise(Op op, std::initializer_list<Operand> operands) {
  return elementwise(op, std::span(operands.begin(), operands.size()));
}
/// The result where the operands are in memory and so small that it is computed here and now, within microseconds and
/// without waiting for other threads; else nothing.
std::optional<Array> elementwise_at_once(Op op, std::span<const Operand> operands);

#define PENSTOCK_OP(name, functor, arity, domain, result) PENSTOCK_FUNCTION_##arity(name)
#define PENSTOCK_FUNCTION_1(name) \
  inline Array name(const Operand& x) { return elementwise(Op::k_##name, {x}); }
#define PENSTOCK_FUNCTION_2(name) \
  inline Array name(const Operand& x1, const Operand& x2) { return elementwise(Op::k_##name, {x1, x2}); }
#define PENSTOCK_FUNCTION_3(name)                                              \
  inline Array name(const Operand& x1, const Operand& x2, const Operand& x3) { \
    return elementwise(Op::k_##name, {x1, x2, x3});                            \
  }
#include "penstock/op/elementwise.def"
#undef PENSTOCK_OP
#undef PENSTOCK_FUNCTION_1
#undef PENSTOCK_FUNCTION_2
#undef PENSTOCK_FUNCTION_3

#define PENSTOCK_OPERATOR(symbol, name)                                                 \
  inline Array operator symbol(const Array& a, const Operand& b) { return name(a, b); } \
  inline Array operator symbol(const Operand& a, const Array& b) { return name(a, b); } \
  inline Array operator symbol(const Array& a, const Array& b) { return name(a, b); }
PENSTOCK_OPERATOR(+, add)
PENSTOCK_OPERATOR(-, subtract)
PENSTOCK_OPERATOR(*, multiply)
PENSTOCK_OPERATOR(/, divide)
#undef PENSTOCK_OPERATOR
inline Array operator-(const Array& a) { return negative(a); }

/// Converted; the same handle when the dtype is already that.
Array astype(const Array& x, DType dtype);

// Reductions. `axes`: nothing reduces all; negative axes count from the end.

struct Over {
  std::optional<Dims> axes;
  bool keepdims = false;
};

/// A primitive row of op/reduce.def.
Array reduce(Reduction reduction, const Array& x, const Over& over);
Array sum(const Array& x, const Over& over = {}, std::optional<DType> dtype = {});
Array prod(const Array& x, const Over& over = {}, std::optional<DType> dtype = {});
Array min(const Array& x, const Over& over = {});
Array max(const Array& x, const Over& over = {});
/// Integers give float64. The mean of nothing is NaN.
Array mean(const Array& x, const Over& over = {}, std::optional<DType> dtype = {});
/// sum |x - mean|^2 / (n - correction), by merging (n, mean, M2) along the tree; real for complex input.
Array var(const Array& x, const Over& over = {}, double correction = 0);
Array std(const Array& x, const Over& over = {}, double correction = 0);
Array any(const Array& x, const Over& over = {});
Array all(const Array& x, const Over& over = {});
Array count_nonzero(const Array& x, const Over& over = {});
/// `axis`: nothing searches the flattened array. int64; the first of equals; the first NaN wins.
Array argmin(const Array& x, std::optional<std::int64_t> axis = {}, bool keepdims = false);
Array argmax(const Array& x, std::optional<std::int64_t> axis = {}, bool keepdims = false);
/// Counts between ascending edges, the last bin closed on both sides; int64. Values outside and NaN are not counted.
Array histogram(const Array& x, const std::vector<double>& edges);
/// `bins` + 1 evenly spaced edges from low to high.
std::vector<double> even_edges(std::int64_t bins, double low, double high);

// Products. Integers wrap, bool is "any of both", float16 gives float32. Errors name both shapes.

/// (..., m, k) by (..., k, n): the matrix products, batch axes broadcast. A vector on the left is a row, on the right a
/// column, and that axis is left out of the result.
Array matmul(const Array& a, const Array& b);
/// Sums of conj(a) * b over `axis`, a negative one of both; the other axes broadcast.
Array vecdot(const Array& a, const Array& b, std::int64_t axis = -1);
/// Sums over pairs of axes; what is left of a's axes, then of b's.
Array tensordot(const Array& a, const Array& b, const Dims& a_axes, const Dims& b_axes);
/// The same over the last `axes` of a and the first of b, in their order.
Array tensordot(const Array& a, const Array& b, std::int64_t axes = 2);
/// NumPy's dot: of vectors the sum of products (nothing conjugated), of matrices their product, of a scalar and
/// anything the elementwise product; otherwise over the last axis of a and the last but one of b.
Array dot(const Array& a, const Array& b);

// Views and assemblies.

Array reshape(const Array& x, const Dims& shape);
Array permute_dims(const Array& x, const Dims& axes);
Array matrix_transpose(const Array& x);
Array broadcast_to(const Array& x, const Dims& shape);
Array flip(const Array& x, const std::optional<Dims>& axes = {});
Array expand_dims(const Array& x, const Dims& axes);
Array squeeze(const Array& x, const Dims& axes);
Array moveaxis(const Array& x, const Dims& source, const Dims& destination);
Array roll(const Array& x, const Dims& shift, const std::optional<Dims>& axes = {});
/// Along `axis`; nothing flattens each first. dtypes promote.
Array concat(const std::vector<Array>& arrays, std::optional<std::int64_t> axis = 0);
Array stack(const std::vector<Array>& arrays, std::int64_t axis = 0);

// Creation.

Array full(const Dims& shape, const Number& value, std::optional<DType> dtype = {});
/// start, start + step, ... below stop. dtype from the numbers' kinds unless given.
Array arange(const Number& start, const Number& stop, const Number& step, std::optional<DType> dtype = {});
/// `num` values from start to stop, the last one exactly stop with `endpoint`.
Array linspace(double start, double stop, std::int64_t num, DType dtype = DType::k_float64, bool endpoint = true);
Array eye(std::int64_t rows, std::int64_t columns, std::int64_t k = 0, DType dtype = DType::k_float64);
Array tril(const Array& x, std::int64_t k = 0);
Array triu(const Array& x, std::int64_t k = 0);

}  // namespace penstock
