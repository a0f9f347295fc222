// SPDX-License-Identifier: Apache-2.0
#include "penstock/op/products.h"

#include <string>

#include "penstock/base/error.h"

namespace penstock {
namespace {

std::string both(const Dims& a, const Dims& b) { return cat("shapes ", shape_text(a), " and ", shape_text(b)); }

Dims broadcast_front(const Dims& a, const Dims& b, long own, const char* name) {
  try {
    return broadcast({a.begin(), a.end() - own}, {b.begin(), b.end() - own});
  } catch (const ShapeError&) {
    throw ShapeError(cat(name, " of ", both(a, b), ": the axes before the last", own == 2 ? " two" : "",
                         " do not broadcast; each pair must be equal or have a 1"));
  }
}

}  // namespace

DType product_dtype(DType a, DType b) {
  const DType common = promote(a, b);
  return common == DType::k_float16 ? DType::k_float32 : common;
}

Dims matmul_shape(const Dims& a, const Dims& b) {
  if (a.size() < 2 || b.size() < 2) throw ShapeError(cat("matmul of ", both(a, b), ": both need at least one axis"));
  if (a.back() != b.end()[-2]) {
    throw ShapeError(cat("matmul of ", both(a, b), ": rows of ", a.back(), " elements meet columns of ", b.end()[-2],
                         "; the two must be equal"));
  }
  Dims out = broadcast_front(a, b, 2, "matmul");
  out.push_back(a.end()[-2]);
  out.push_back(b.back());
  count(out);
  return out;
}

Dims vecdot_shape(const Dims& a, const Dims& b) {
  if (a.empty() || b.empty()) throw ShapeError(cat("vecdot of ", both(a, b), ": both need at least one axis"));
  if (a.back() != b.back()) {
    throw ShapeError(cat("vecdot of ", both(a, b), ": vectors of ", a.back(), " and ", b.back(),
                         " elements; the two must be equal"));
  }
  return broadcast_front(a, b, 1, "vecdot");
}

Contraction contraction_of(const Dims& a, const Dims& b, const Dims& a_axes, const Dims& b_axes) {
  if (a_axes.size() != b_axes.size()) {
    throw ShapeError(
        cat("tensordot of ", both(a, b), ": ", a_axes.size(), " axes meet ", b_axes.size(), "; give as many of each"));
  }
  // Checks that none repeats.
  normal_axes(a_axes, static_cast<int>(a.size()));
  normal_axes(b_axes, static_cast<int>(b.size()));
  Contraction axes;
  for (std::size_t i = 0; i < a_axes.size(); ++i) {
    axes.a.push_back(normal_axis(a_axes[i], static_cast<int>(a.size())));
    axes.b.push_back(normal_axis(b_axes[i], static_cast<int>(b.size())));
    const std::int64_t of_a = a[static_cast<std::size_t>(axes.a.back())];
    const std::int64_t of_b = b[static_cast<std::size_t>(axes.b.back())];
    if (of_a != of_b) {
      throw ShapeError(cat("tensordot of ", both(a, b), ": axis ", axes.a.back(), " has ", of_a, " elements, axis ",
                           axes.b.back(), " has ", of_b, "; the two must be equal"));
    }
  }
  return axes;
}

}  // namespace penstock
