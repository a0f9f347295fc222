// SPDX-License-Identifier: Apache-2.0
#include "penstock/type/dtype.h"

#include <gtest/gtest.h>

#include <complex>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "penstock/base/error.h"

namespace penstock {
namespace {

std::vector<DType> all_dtypes() {
  std::vector<DType> all;
  for (int i = 0; i < kDTypeCount; ++i) all.push_back(static_cast<DType>(i));
  return all;
}

DType from_npy(const std::string& npy) {
  for (const DType t : all_dtypes()) {
    if (npy == row(t).npy) return t;
  }
  throw std::invalid_argument(npy);
}

// NumPy's promote_types, row with column, by hand. One departure: float16 is a storage dtype, so an 8-bit integer with
// it gives float32, in which both are computed, and not float16.
constexpr const char* kPromotion = R"(
     b1   i1   i2   i4   i8   u1   u2   u4   u8   f2   f4   f8   c8   c16
b1   b1   i1   i2   i4   i8   u1   u2   u4   u8   f2   f4   f8   c8   c16
i1   i1   i1   i2   i4   i8   i2   i4   i8   f8   f4   f4   f8   c8   c16
i2   i2   i2   i2   i4   i8   i2   i4   i8   f8   f4   f4   f8   c8   c16
i4   i4   i4   i4   i4   i8   i4   i4   i8   f8   f8   f8   f8   c16  c16
i8   i8   i8   i8   i8   i8   i8   i8   i8   f8   f8   f8   f8   c16  c16
u1   u1   i2   i2   i4   i8   u1   u2   u4   u8   f4   f4   f8   c8   c16
u2   u2   i4   i4   i4   i8   u2   u2   u4   u8   f4   f4   f8   c8   c16
u4   u4   i8   i8   i8   i8   u4   u4   u4   u8   f8   f8   f8   c16  c16
u8   u8   f8   f8   f8   f8   u8   u8   u8   u8   f8   f8   f8   c16  c16
f2   f2   f4   f4   f8   f8   f4   f4   f8   f8   f2   f4   f8   c8   c16
f4   f4   f4   f4   f8   f8   f4   f4   f8   f8   f4   f4   f8   c8   c16
f8   f8   f8   f8   f8   f8   f8   f8   f8   f8   f8   f8   f8   c16  c16
c8   c8   c8   c8   c16  c16  c8   c8   c16  c16  c8   c8   c16  c8   c16
c16  c16  c16  c16  c16  c16  c16  c16  c16  c16  c16  c16  c16  c16  c16
)";

TEST(DType, PromotesAsTheTableSays) {
  std::istringstream in(kPromotion);
  std::vector<DType> columns;
  std::string word;
  for (int i = 0; i < kDTypeCount; ++i) {
    in >> word;
    columns.push_back(from_npy(word));
  }
  for (int i = 0; i < kDTypeCount; ++i) {
    in >> word;
    const DType a = from_npy(word);
    for (const DType b : columns) {
      in >> word;
      EXPECT_EQ(name_of(promote(a, b)), std::string(name_of(from_npy(word)))) << name_of(a) << " with " << name_of(b);
    }
  }
  EXPECT_FALSE(in >> word) << "the table has more rows than there are dtypes";
}

TEST(DType, PromotionIsCommutativeAndIdempotent) {
  for (const DType a : all_dtypes()) {
    EXPECT_EQ(promote(a, a), a);
    for (const DType b : all_dtypes()) {
      EXPECT_EQ(promote(a, b), promote(b, a)) << name_of(a) << " with " << name_of(b);
      EXPECT_EQ(promote(promote(a, b), b), promote(a, b)) << name_of(a) << " with " << name_of(b);
    }
  }
}

TEST(DType, PythonScalarsPromoteWeakly) {
  const struct {
    DType a;
    const char* with_bool;
    const char* with_int;
    const char* with_float;
    const char* with_complex;
  } kRows[] = {
      {DType::k_bool, "bool", "int64", "float64", "complex128"},
      {DType::k_int8, "int8", "int8", "float64", "complex128"},
      {DType::k_int64, "int64", "int64", "float64", "complex128"},
      {DType::k_uint8, "uint8", "uint8", "float64", "complex128"},
      {DType::k_uint64, "uint64", "uint64", "float64", "complex128"},
      {DType::k_float16, "float16", "float16", "float16", "complex64"},
      {DType::k_float32, "float32", "float32", "float32", "complex64"},
      {DType::k_float64, "float64", "float64", "float64", "complex128"},
      {DType::k_complex64, "complex64", "complex64", "complex64", "complex64"},
      {DType::k_complex128, "complex128", "complex128", "complex128", "complex128"},
  };
  for (const auto& each : kRows) {
    EXPECT_STREQ(name_of(promote_weak(each.a, Kind::kBool)), each.with_bool) << name_of(each.a);
    EXPECT_STREQ(name_of(promote_weak(each.a, Kind::kInt)), each.with_int) << name_of(each.a);
    EXPECT_STREQ(name_of(promote_weak(each.a, Kind::kFloat)), each.with_float) << name_of(each.a);
    EXPECT_STREQ(name_of(promote_weak(each.a, Kind::kComplex)), each.with_complex) << name_of(each.a);
  }
}

TEST(DType, CastsSafelyToWhatHoldsEveryValue) {
  EXPECT_TRUE(can_cast(DType::k_bool, DType::k_int8));
  EXPECT_TRUE(can_cast(DType::k_uint8, DType::k_int16));
  EXPECT_TRUE(can_cast(DType::k_int32, DType::k_float64));
  EXPECT_TRUE(can_cast(DType::k_float32, DType::k_complex64));
  EXPECT_FALSE(can_cast(DType::k_int8, DType::k_uint8));
  EXPECT_FALSE(can_cast(DType::k_int32, DType::k_float32));
  EXPECT_FALSE(can_cast(DType::k_float64, DType::k_float32));
  EXPECT_FALSE(can_cast(DType::k_float64, DType::k_complex64));
  EXPECT_FALSE(can_cast(DType::k_int8, DType::k_bool));
}

TEST(DType, RealAndComplexArePartners) {
  EXPECT_EQ(complex_of(DType::k_float32), DType::k_complex64);
  EXPECT_EQ(complex_of(DType::k_float64), DType::k_complex128);
  for (const DType t : all_dtypes()) {
    EXPECT_EQ(real_of(t), t == DType::k_complex64 ? DType::k_float32 : t == DType::k_complex128 ? DType::k_float64 : t);
    if (t == DType::k_float32 || t == DType::k_float64) continue;
    EXPECT_THROW(complex_of(t), DTypeError) << name_of(t);
  }
}

TEST(DType, NamesGoBothWays) {
  for (const DType t : all_dtypes()) EXPECT_EQ(dtype_from_name(name_of(t)), t);
  try {
    dtype_from_name("flaot32");
    FAIL();
  } catch (const DTypeError& error) {
    EXPECT_STREQ(error.what(), "'flaot32' is no dtype; did you mean float32?");
  }
  EXPECT_THROW(dtype_from_name("object"), DTypeError);
  EXPECT_THROW(dtype_from_name(""), DTypeError);
}

TEST(DType, RowsAgreeWithTheirCppTypes) {
  for (const DType t : all_dtypes()) {
    visit(t, [t]<class T>() {
      EXPECT_EQ(kDTypeOf<T>, t);
      EXPECT_EQ(static_cast<std::int64_t>(sizeof(T)), size_of(t));
      EXPECT_EQ((std::is_integral_v<T> && !std::is_same_v<T, bool>), is_integer(t));
      EXPECT_EQ(std::is_unsigned_v<T> && is_integer(t), kind_of(t) == Kind::kUInt);
      EXPECT_EQ(row(t).npy, std::string(1, "biufc"[static_cast<int>(kind_of(t))]) + std::to_string(size_of(t)));
    });
  }
}

}  // namespace
}  // namespace penstock
