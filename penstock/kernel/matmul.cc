// SPDX-License-Identifier: Apache-2.0
// Matrix and dot products of every dtype.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/matmul.cc"
#include "hwy/foreach_target.h"
#include "penstock/kernel/dot-inl.h"
#include "penstock/kernel/matmul-inl.h"
#include "penstock/kernel/table.h"
#include "penstock/simd/target.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

template <class T, bool kFused>
Product product_of() {
  constexpr bool kComplex = kIsPair<ElementOf<T>>;
  using A = typename ArithmeticFor<T, kFused>::Type;
  // Bytes are packed into wider lanes for tiles; a dot product takes them as they lie.
  using Packed = std::conditional_t<sizeof(T) == 1 && !std::is_same_v<T, bool>, WrappingBytes, A>;
  using Tile = Tiles<Packed, kComplex>;
  using Dot = Dots<A, kComplex>;
  Product product;
  product.rows = Tile::kRows;
  product.columns = Tile::kColumns;
  product.packed_bytes = static_cast<std::int64_t>(sizeof(typename Packed::Lane)) * (kComplex ? 2 : 1);
  product.pack_rows = Tile::pack_rows;
  product.pack_columns = Tile::pack_columns;
  product.merge = Dot::merge;
  if constexpr (kFused && HWY_TARGET == HWY_SCALAR) {
    product.multiply = Tile::multiply_fused;
    product.dot = Dot::dot_fused;
  } else {
    product.multiply = Tile::multiply_any;
    product.dot = Dot::dot_any;
  }
  return product;
}

template <class T>
void fill_product(Table& table) {
  if constexpr (!std::is_same_v<T, Half>) {
    constexpr bool kFloats = std::is_floating_point_v<T> || kIsPair<ElementOf<T>>;
    Product& product = table.product[index_of(kDTypeOf<T>)];
    if constexpr (kFloats && HWY_TARGET == HWY_SCALAR)
      product = simd::has_fma() ? product_of<T, true>() : product_of<T, false>();
    else
      product = product_of<T, kFloats>();
  }
}

}  // namespace

void fill_matmul(Table& table);
void fill_matmul(Table& table) {
#define PENSTOCK_DTYPE(name, type, kind, npy) fill_product<type>(table);
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
