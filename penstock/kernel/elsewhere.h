// SPDX-License-Identifier: Apache-2.0
// Which entries of the elementwise table are no plain functor: maths of floats (simd/maths.def) and complex maths
// (kernel/complex.def).
#pragma once

#include "penstock/op/ops.h"
#include "penstock/type/dtype.h"

namespace penstock::kernel {

constexpr bool is_vector_maths(Op op) {
  switch (op) {
#define PENSTOCK_MATHS(name, ...) case Op::k_##name:
#include "penstock/simd/maths.def"
#undef PENSTOCK_MATHS
    return true;
    default:
      return false;
  }
}

constexpr bool is_complex_maths(Op op) {
  switch (op) {
#define PENSTOCK_COMPLEX(name, ...) case Op::k_##name:
#include "penstock/kernel/complex.def"
#undef PENSTOCK_COMPLEX
    return true;
    default:
      return false;
  }
}

constexpr bool is_elsewhere(Op op, DType t) {
  return (kind_of(t) == Kind::kFloat && is_vector_maths(op)) || (kind_of(t) == Kind::kComplex && is_complex_maths(op));
}

}  // namespace penstock::kernel
