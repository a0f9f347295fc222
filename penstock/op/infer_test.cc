// SPDX-License-Identifier: Apache-2.0
// Dtypes and shapes of results against tables written by hand, and every complaint.
#include "penstock/op/infer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/error.h"

namespace penstock {
namespace {

std::vector<DType> dtypes_of(std::string_view names) {
  std::vector<DType> found;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    found.push_back(dtype_from_name(names.substr(0, end)));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return found;
}

struct Row {
  Op op;
  const char* operands;
  const char* compute;
  const char* result;
};

constexpr Row kRows[] = {
    {Op::k_add, "int32 int32", "int32", "int32"},
    {Op::k_add, "int8 uint8", "int16", "int16"},
    {Op::k_add, "int64 uint64", "float64", "float64"},
    {Op::k_add, "bool int8", "int8", "int8"},
    {Op::k_multiply, "float32 int32", "float64", "float64"},
    {Op::k_multiply, "float32 int16", "float32", "float32"},
    {Op::k_subtract, "complex64 float64", "complex128", "complex128"},
    {Op::k_divide, "int32 int32", "float64", "float64"},
    {Op::k_divide, "bool bool", "float64", "float64"},
    {Op::k_divide, "float32 float32", "float32", "float32"},
    {Op::k_divide, "complex64 complex64", "complex64", "complex64"},
    {Op::k_sqrt, "uint8", "float64", "float64"},
    {Op::k_sqrt, "float32", "float32", "float32"},
    {Op::k_sin, "complex128", "complex128", "complex128"},
    {Op::k_atan2, "int8 float32", "float32", "float32"},
    {Op::k_abs, "complex64", "complex64", "float32"},
    {Op::k_abs, "int16", "int16", "int16"},
    {Op::k_real, "complex128", "complex128", "float64"},
    {Op::k_real, "float32", "float32", "float32"},
    {Op::k_imag, "complex64", "complex64", "float32"},
    {Op::k_conj, "float64", "float64", "float64"},
    {Op::k_equal, "bool bool", "bool", "bool"},
    {Op::k_equal, "int32 complex64", "complex128", "bool"},
    {Op::k_less, "int8 uint64", "float64", "bool"},
    {Op::k_logical_and, "float32 complex128", "bool", "bool"},
    {Op::k_logical_not, "uint8", "bool", "bool"},
    {Op::k_bitwise_and, "bool bool", "bool", "bool"},
    {Op::k_bitwise_and, "bool uint16", "uint16", "uint16"},
    {Op::k_bitwise_left_shift, "int8 int8", "int8", "int8"},
    {Op::k_floor, "int32", "int32", "int32"},
    {Op::k_floor, "float32", "float32", "float32"},
    {Op::k_remainder, "uint8 int8", "int16", "int16"},
    {Op::k_isnan, "int8", "int8", "bool"},
    {Op::k_isnan, "complex64", "complex64", "bool"},
    {Op::k_signbit, "float32", "float32", "bool"},
    {Op::k_where, "bool int8 int8", "int8", "int8"},
    {Op::k_where, "complex128 int8 float32", "float32", "float32"},
    {Op::k_where, "float64 bool bool", "bool", "bool"},
    {Op::k_clip, "int8 int32 uint8", "int32", "int32"},
    {Op::k_pow, "int32 uint8", "int32", "int32"},
    {Op::k_maximum, "bool bool", "bool", "bool"},
    {Op::k_add, "float16 float16", "float32", "float32"},
    {Op::k_sqrt, "float16", "float32", "float32"},
    {Op::k_multiply, "int8 float16", "float32", "float32"},
    {Op::k_less, "float16 bool", "float32", "bool"},
    {Op::k_where, "bool float16 float16", "float32", "float32"},
    {Op::k_add, "float16 complex64", "complex64", "complex64"},
};

TEST(Infer, Elementwise) {
  for (const Row& r : kRows) {
    const ElementwiseTypes types = infer_elementwise(r.op, dtypes_of(r.operands));
    EXPECT_STREQ(name_of(types.compute), r.compute) << row(r.op).name << " of " << r.operands;
    EXPECT_STREQ(name_of(types.result), r.result) << row(r.op).name << " of " << r.operands;
  }
}

struct Complaint {
  Op op;
  const char* operands;
  const char* says;
};

constexpr Complaint kComplaints[] = {
    {Op::k_add, "bool bool", "convert bool with astype"},
    {Op::k_negative, "bool", "logical function"},
    {Op::k_bitwise_and, "float32 int8", "bool or integers"},
    {Op::k_bitwise_and, "int64 uint64", "bool or integers"},
    {Op::k_bitwise_left_shift, "bool bool", "integers"},
    {Op::k_floor, "complex64", "integers or floats"},
    {Op::k_remainder, "bool bool", "integers or floats"},
    {Op::k_less, "complex64 int8", "which complex numbers lack"},
    {Op::k_maximum, "float32 complex128", "compare abs, real or imag"},
    {Op::k_clip, "complex64 float32 float32", "which complex numbers lack"},
    {Op::k_atan2, "complex64 float32", "real floats"},
    {Op::k_hypot, "complex128 complex128", "real floats"},
    {Op::k_imag, "float64", "complex numbers"},
};

TEST(Infer, ComplaintsNameOperationDtypesAndWhatFits) {
  for (const Complaint& c : kComplaints) {
    try {
      infer_elementwise(c.op, dtypes_of(c.operands));
      ADD_FAILURE() << row(c.op).name << " of " << c.operands;
    } catch (const DTypeError& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(row(c.op).name), 0u) << text;
      EXPECT_NE(text.find(c.says), std::string::npos) << text;
      for (const DType each : dtypes_of(c.operands)) EXPECT_NE(text.find(name_of(each)), std::string::npos) << text;
    }
  }
}

TEST(Infer, EveryRowTakesFloat64OrSaysWhy) {
  for (int i = 0; i < kOpCount; ++i) {
    const auto op = static_cast<Op>(i);
    const std::vector<DType> operands(static_cast<std::size_t>(row(op).arity), DType::k_float64);
    const Domain domain = row(op).domain;
    const bool takes =
        domain != Domain::kBits && domain != Domain::kInteger && domain != Domain::kComplex && domain != Domain::kWord;
    if (takes) {
      EXPECT_NO_THROW(infer_elementwise(op, operands)) << row(op).name;
    } else {
      EXPECT_THROW(infer_elementwise(op, operands), DTypeError) << row(op).name;
    }
  }
}

TEST(Infer, AccumulatorsAndResultsOfReductions) {
  struct {
    Reduction reduction;
    const char* operand;
    const char* accumulator;
    const char* result;
  } const rows[] = {
      {Reduction::k_sum, "bool", "int64", "int64"},
      {Reduction::k_sum, "int8", "int64", "int64"},
      {Reduction::k_sum, "uint8", "uint64", "uint64"},
      {Reduction::k_sum, "float32", "float32", "float32"},
      {Reduction::k_sum, "complex64", "complex64", "complex64"},
      {Reduction::k_prod, "uint64", "uint64", "uint64"},
      {Reduction::k_prod, "complex128", "complex128", "complex128"},
      {Reduction::k_min, "uint8", "uint8", "uint8"},
      {Reduction::k_max, "bool", "bool", "bool"},
      {Reduction::k_argmin, "float32", "float32", "int64"},
      {Reduction::k_argmax, "uint16", "uint16", "int64"},
      {Reduction::k_moments, "int32", "float64", "float64"},
      {Reduction::k_moments, "float32", "float32", "float32"},
  };
  for (const auto& r : rows) {
    const DType operand = dtype_from_name(r.operand);
    EXPECT_STREQ(name_of(accumulator_of(r.reduction, operand)), r.accumulator)
        << row(r.reduction).name << " of " << r.operand;
    EXPECT_STREQ(name_of(reduced_dtype(r.reduction, operand)), r.result)
        << row(r.reduction).name << " of " << r.operand;
  }
  for (const Reduction r :
       {Reduction::k_min, Reduction::k_max, Reduction::k_argmin, Reduction::k_argmax, Reduction::k_moments}) {
    EXPECT_THROW(accumulator_of(r, DType::k_complex64), DTypeError) << row(r).name;
  }
}

TEST(Infer, ReducedShapes) {
  const Dims shape{3, 4, 5};
  EXPECT_EQ(reduced_shape(Reduction::k_sum, shape, {1}, false), (Dims{3, 5}));
  EXPECT_EQ(reduced_shape(Reduction::k_sum, shape, {1}, true), (Dims{3, 1, 5}));
  EXPECT_EQ(reduced_shape(Reduction::k_max, shape, {0, 1, 2}, false), Dims{});
  EXPECT_EQ(reduced_shape(Reduction::k_max, shape, {0, 2}, true), (Dims{1, 4, 1}));
  EXPECT_EQ(reduced_shape(Reduction::k_min, shape, {}, false), shape);
  EXPECT_EQ(reduced_shape(Reduction::k_min, {}, {}, true), Dims{});
}

TEST(Infer, NothingHasASumButNoLeast) {
  EXPECT_EQ(reduced_shape(Reduction::k_sum, {3, 0}, {1}, false), (Dims{3}));
  EXPECT_THROW(reduced_shape(Reduction::k_min, {3, 0}, {1}, false), ShapeError);
  EXPECT_THROW(reduced_shape(Reduction::k_argmax, {0}, {0}, false), ShapeError);
  // No output, no question.
  EXPECT_EQ(reduced_shape(Reduction::k_min, {0, 3}, {1}, false), (Dims{0}));
  EXPECT_EQ(reduced_shape(Reduction::k_max, {0, 0}, {1}, true), (Dims{0, 1}));
}

}  // namespace
}  // namespace penstock
