// SPDX-License-Identifier: Apache-2.0
// Python functions as operators: of well-kept libraries (FFT, LAPACK), which work on NumPy arrays. The engine lends
// them box by box what they read and write, so they take part in plans, budgets and files like every other operator.

#include <algorithm>
#include <utility>

#include <nanobind/stl/vector.h>

#include "bind.h"
#include "lent.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/graph/operator.h"
#include "penstock/memory/pool.h"
#include "penstock/thread/parallel.h"

namespace penstock::bind {
namespace {

using graph::Box;
using graph::Lease;
using graph::Leases;
using graph::Step;

class Callback final : public graph::Operator {
 public:
  Callback(std::string name, nb::callable f, DType dtype, Dims out, const std::vector<Array>& inputs, bool columns)
      : name_(std::move(name)), f_(std::move(f)), dtype_(dtype), out_(std::move(out)), columns_(columns) {
    for (const Array& input : inputs) {
      shapes_.push_back(input.shape());
      dtypes_.push_back(input.dtype());
    }
  }
  ~Callback() override { drop(f_); }

  std::string text() const override { return name_; }

  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t rows = std::max<std::int64_t>(out_[0], 1);
    const std::int64_t row = std::max<std::int64_t>(bytes_of(whole_step()) / rows, 1);
    std::vector<Step> steps;
    const std::int64_t columns = columns_ && row > bytes ? std::max<std::int64_t>(bytes / (row / out_.back()), 1) : 0;
    std::int64_t first = 0;
    do {
      const std::int64_t n = std::min(out_[0] - first, std::max<std::int64_t>(bytes / row, 1));
      std::int64_t column = 0;
      do {
        Step step = whole_step();
        const auto cut = [](Box& box, std::size_t axis, std::int64_t begin, std::int64_t count) {
          box.begin[axis] = begin;
          box.shape[axis] = count;
        };
        const auto cut_all = [&](bool last, std::int64_t begin, std::int64_t count) {
          cut(step.output, last ? out_.size() - 1 : 0, begin, count);
          for (Box& box : step.inputs) cut(box, last ? box.shape.size() - 1 : 0, begin, count);
        };
        cut_all(false, first, n);
        const std::int64_t width = columns == 0 ? 0 : std::min(columns, out_.back() - column);
        if (columns > 0) cut_all(true, column, width);
        steps.push_back(std::move(step));
        column += width;
      } while (columns > 0 && column < out_.back());
      first += n;
    } while (first < out_[0]);
    return steps;
  }

  /// The libraries allocate by themselves, about as much as they read and write.
  std::int64_t scratch_bytes(const Step& step, int /*threads*/) const override { return bytes_of(step); }

  void compute(const Step& step, const Leases& leases) const override {
    if (count(step.output.shape) == 0) return;
    leases.tick();
    const Locked lock;
    if (!lock) throw Cancelled("the interpreter has ended");
    nb::list arrays;
    arrays.append(lent(leases.output, dtype_, true));
    for (std::size_t k = 0; k < shapes_.size(); ++k) arrays.append(lent(leases.inputs[k], dtypes_[k], false));
    f_(*arrays);
  }

 private:
  Step whole_step() const {
    Step step{graph::whole(out_), {}, true};
    for (const Dims& shape : shapes_) step.inputs.push_back(graph::whole(shape));
    return step;
  }

  std::int64_t bytes_of(const Step& step) const {
    std::int64_t bytes = count(step.output.shape) * size_of(dtype_);
    for (std::size_t k = 0; k < shapes_.size(); ++k) bytes += count(step.inputs[k].shape) * size_of(dtypes_[k]);
    return bytes;
  }

  std::string name_;
  mutable nb::callable f_;
  DType dtype_;
  Dims out_;
  std::vector<Dims> shapes_;
  std::vector<DType> dtypes_;
  bool columns_;
};

}  // namespace

nb::object lent(const Lease& lease, DType dtype, bool writable) {
  const ByteRange range = byte_range(lease.layout, size_of(dtype));
  char* begin = reinterpret_cast<char*>(lease.data) + range.begin;
  const nb::object memory = nb::steal(
      PyMemoryView_FromMemory(begin, static_cast<Py_ssize_t>(range.size()), writable ? PyBUF_WRITE : PyBUF_READ));
  const nb::module_ numpy = nb::module_::import_("numpy");
  return numpy.attr("ndarray")(tuple_of(lease.layout.shape), name_of(dtype), memory, -range.begin,
                               tuple_of(lease.layout.strides));
}

void drop(nb::callable& f) {
  if (const Locked lock; lock)
    f.reset();
  else
    f.release();
}

namespace {

/// Calls f(begin, end) for parts of [0, n), each with the interpreter's lock, which f gives up where it works long.
void in_parts(std::int64_t n, std::int64_t parts, int threads, const nb::callable& f) {
  unlocked([&] {
    thread::parallel_for(
        parts,
        [&](std::int64_t part) {
          const Locked lock;
          if (!lock) throw Cancelled("the interpreter has ended");
          f(n * part / parts, n * (part + 1) / parts);
        },
        threads);
  });
}

}  // namespace

void bind_callback(nb::module_& m) {
  m.def(
      "in_parts", &in_parts, nb::arg("n"), nb::arg("parts"), nb::arg("threads"), nb::arg("f"),
      "Calls f(begin, end) for each of the parts of [0, n), by as many threads of the engine at once. The first error "
      "is raised once the calls under way have ended; no others begin.",
      nb::sig("def in_parts(n: int, parts: int, threads: int, f: Callable[[int, int], object]) -> None"));
  m.def(
      "stacked",
      [](const std::string& name, nb::callable f, const std::vector<Array>& inputs, nb::handle shape_,
         nb::handle dtype_, bool columns) {
        const Dims shape = dims_of(shape_, "shape");
        const DType dtype = need_dtype(dtype_);
        for (const Array& input : inputs) {
          if (input.ndim() == 0 || shape.empty() || input.shape()[0] != shape[0])
            throw ShapeError(cat(name, ": stacks of ", shape_text(shape), " and ", shape_text(input.shape())));
        }
        auto op = std::make_shared<Callback>(name, std::move(f), dtype, shape, inputs, columns);
        return operated(dtype, shape, std::move(op), inputs);
      },
      nb::arg("name"), nb::arg("f"), nb::arg("inputs"), nb::arg("shape"), nb::arg("dtype"), nb::kw_only(),
      nb::arg("columns") = false,
      "An array that f(out, *inputs) computes from stacks: NumPy arrays of neighbouring items, as many along the first "
      "axis of each as fit into the budget. With `columns` items are independent along the last axis too.",
      nb::sig("def stacked(name: str, f: Callable[..., object], inputs: Sequence[Array], shape: Ints, dtype: AnyDType, "
              "*, columns: builtins.bool = False) -> Array"));
}

}  // namespace penstock::bind
