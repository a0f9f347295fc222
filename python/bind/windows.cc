// SPDX-License-Identifier: Apache-2.0
// Python functions of neighbouring elements as operators: convolutions, whose work libraries do block by block.

#include <algorithm>
#include <utility>

#include "bind.h"
#include "lent.h"
#include "penstock/array/settle.h"
#include "penstock/base/error.h"
#include "penstock/graph/operator.h"

namespace penstock::bind {
namespace {

using graph::Box;
using graph::Leases;
using graph::Step;

/// How an output block [begin, end) reads x: [begin - before, end + behind), as far as there is x.
struct Reach {
  std::int64_t before;
  std::int64_t behind;
};

class Windows final : public graph::Operator {
 public:
  Windows(std::string name, nb::callable f, const Array& x, const Array& y, std::int64_t n, Reach reach,
          std::int64_t block)
      : name_(std::move(name)),
        f_(std::move(f)),
        dtype_(x.dtype()),
        y_(y.size()),
        x_(x.size()),
        n_(n),
        reach_(reach),
        block_(block) {}
  ~Windows() override { drop(f_); }

  std::string text() const override { return name_; }

  /// Cut at multiples of a block only, so that a library that transforms block by block gives the same everywhere.
  std::vector<Step> steps(std::int64_t bytes) const override {
    const std::int64_t each = 2 * block_ * size_of(dtype_);
    const std::int64_t width = std::max<std::int64_t>((bytes - y_ * size_of(dtype_)) / each, 1) * block_;
    std::vector<Step> steps;
    for (std::int64_t begin = 0; begin < n_ || steps.empty(); begin += std::min(width, std::max<std::int64_t>(n_, 1))) {
      const std::int64_t end = width < n_ - begin ? begin + width : n_;
      const std::int64_t first = std::clamp<std::int64_t>(begin - reach_.before, 0, x_);
      const std::int64_t last = std::clamp<std::int64_t>(end + reach_.behind, first, x_);
      steps.push_back({{{begin}, {end - begin}}, {{{first}, {last - first}}, graph::whole({y_})}, true});
      if (end == n_) break;
    }
    return steps;
  }

  /// The libraries allocate by themselves: a few times what they read and write, or a few blocks.
  std::int64_t scratch_bytes(const Step& step, int /*threads*/) const override {
    return (2 * step.output.shape[0] + 8 * (block_ + y_)) * size_of(dtype_);
  }

  void compute(const Step& step, const Leases& leases) const override {
    if (step.output.shape[0] == 0) return;
    leases.tick();
    const Locked lock;
    if (!lock) throw Cancelled("the interpreter has ended");
    f_(lent(leases.output, dtype_, true), lent(leases.inputs[0], dtype_, false), lent(leases.inputs[1], dtype_, false),
       step.output.begin[0], step.inputs[0].begin[0]);
  }

 private:
  std::string name_;
  mutable nb::callable f_;
  DType dtype_;
  std::int64_t y_;
  std::int64_t x_;
  std::int64_t n_;
  Reach reach_;
  std::int64_t block_;
};

}  // namespace

void bind_windows(nb::module_& m) {
  m.def(
      "windowed",
      [](const std::string& name, nb::callable f, const Array& x, const Array& y, std::int64_t n, std::int64_t before,
         std::int64_t behind, std::int64_t block) {
        auto op = std::make_shared<Windows>(name, std::move(f), x, y, n, Reach{before, behind}, block);
        return operated(x.dtype(), {n}, std::move(op), {x, y});
      },
      nb::arg("name"), nb::arg("f"), nb::arg("x"), nb::arg("y"), nb::arg("n"), nb::kw_only(), nb::arg("before"),
      nb::arg("behind"), nb::arg("block"),
      "The vector of n that f(out, x, y, begin, first) computes part by part: of out[begin:], a multiple of `block`, "
      "from all of y and x[first:], which reaches so far before and behind it.",
      nb::sig("def windowed(name: str, f: Callable[..., object], x: Array, y: Array, n: int, *, before: int, behind: "
              "int, block: int) -> Array"));
}

}  // namespace penstock::bind
