// SPDX-License-Identifier: Apache-2.0
#include "penstock/op/infer.h"

#include <algorithm>
#include <string>

#include "penstock/base/error.h"

namespace penstock {
namespace {

bool floats_only(Domain domain) { return domain == Domain::kFloating || domain == Domain::kRealFloat; }

const char* wanted(Domain domain) {
  switch (domain) {
    case Domain::kBits:
      return "bool or integers";
    case Domain::kInteger:
      return "integers";
    case Domain::kNumeric:
      return "numbers; convert bool with astype, or use a logical function";
    case Domain::kReal:
      return "integers or floats";
    case Domain::kOrdered:
      return "an order, which complex numbers lack; compare abs, real or imag";
    case Domain::kRealFloat:
      return "real floats";
    case Domain::kComplex:
      return "complex numbers";
    case Domain::kWord:
      return "uint64";
    default:
      return "another dtype";
  }
}

}  // namespace

ElementwiseTypes infer_elementwise(Op op, std::span<const DType> operands) {
  const OpRow& r = row(op);
  PENSTOCK_CHECK(static_cast<int>(operands.size()) == r.arity, r.name);
  if (r.domain == Domain::kBoolean) return {DType::k_bool, DType::k_bool};
  const auto promoted = op == Op::k_where ? operands.subspan(1) : operands;
  DType compute = promoted[0];
  for (const DType each : promoted) {
    if (each != compute) compute = promote(compute, each);
  }
  if (compute == DType::k_float16) compute = DType::k_float32;  // a storage dtype: there are no kernels for it
  if (floats_only(r.domain) && (kind_of(compute) == Kind::kBool || is_integer(compute))) compute = DType::k_float64;
  if (!holds(r.domain, compute)) {
    std::string got;
    for (const DType each : operands) got += cat(got.empty() ? "" : ", ", name_of(each));
    throw DTypeError(cat(r.name, " got ", got, "; it wants ", wanted(r.domain)));
  }
  return {compute, result_of(op, compute)};
}

DType accumulator_of(Reduction r, DType operand) {
  const Kind kind = kind_of(operand);
  switch (row(r).accumulator) {
    case Accumulator::kWide:
      if (kind == Kind::kUInt) return DType::k_uint64;
      return kind <= Kind::kInt ? DType::k_int64 : operand;
    case Accumulator::kSameReal:
    case Accumulator::kIndex:
      if (kind == Kind::kComplex) {
        throw DTypeError(
            cat(row(r).name, " got ", name_of(operand), "; complex numbers have no order: reduce abs, real or imag"));
      }
      return operand;
    case Accumulator::kFloatPair:
      if (kind == Kind::kComplex) throw DTypeError("moments are taken of real and imaginary parts apart");
      return kind == Kind::kFloat ? operand : DType::k_float64;
  }
  return operand;
}

DType reduced_dtype(Reduction r, DType operand) {
  const DType accumulator = accumulator_of(r, operand);
  return row(r).accumulator == Accumulator::kIndex ? DType::k_int64 : accumulator;
}

Dims reduced_shape(Reduction r, const Dims& shape, const std::vector<int>& axes, bool keepdims) {
  Dims out;
  bool nothing = false;
  for (int i = 0; i < static_cast<int>(shape.size()); ++i) {
    const std::int64_t extent = shape[static_cast<std::size_t>(i)];
    if (!std::binary_search(axes.begin(), axes.end(), i)) {
      out.push_back(extent);
    } else {
      nothing = nothing || extent == 0;
      if (keepdims) out.push_back(1);
    }
  }
  if (nothing && !row(r).empty && count(out) > 0) {
    throw ShapeError(cat(row(r).name, " of no elements has no value: shape ", shape_text(shape)));
  }
  return out;
}

}  // namespace penstock
