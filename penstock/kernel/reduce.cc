// SPDX-License-Identifier: Apache-2.0
// sum, prod, min, max and moments for every accumulator dtype.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/reduce.cc"
#include "hwy/foreach_target.h"
#include "penstock/kernel/reduce_moments-inl.h"
#include "penstock/kernel/reduce_simple-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

template <class T>
void fill_sums(Table& table) {
  // Signed sums and products wrap like unsigned ones, with the same bits.
  using Wraps = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;
  table.reduce[index_of(Reduction::k_sum)][index_of(kDTypeOf<T>)] = simple_reducer<Sum<Wraps>>();
  table.reduce[index_of(Reduction::k_prod)][index_of(kDTypeOf<T>)] = simple_reducer<Prod<Wraps>>();
}

template <class T>
void fill_ends(Table& table) {
  constexpr bool kBool = std::is_same_v<T, bool>;
  constexpr int kType = index_of(kDTypeOf<T>);
  table.reduce[index_of(Reduction::k_min)][kType] = simple_reducer<std::conditional_t<kBool, MinOfBool, Min<T>>>();
  table.reduce[index_of(Reduction::k_max)][kType] = simple_reducer<std::conditional_t<kBool, MaxOfBool, Max<T>>>();
}

template <class T>
void fill_type(Table& table) {
  constexpr int kType = index_of(kDTypeOf<T>);
  if constexpr (std::is_floating_point_v<T> || (kIsInteger<T> && sizeof(T) == 8)) fill_sums<T>(table);
  if constexpr (kIsPair<ElementOf<T>>) {
    table.reduce[index_of(Reduction::k_prod)][kType] = simple_reducer<Prod<ElementOf<T>>>();
  }
  if constexpr (std::is_arithmetic_v<T>) fill_ends<T>(table);
  if constexpr (std::is_floating_point_v<T>) {
    table.reduce[index_of(Reduction::k_moments)][kType] = moments_reducer<T>();
  }
}

}  // namespace

void fill_reduce(Table& table);
void fill_reduce(Table& table) {
#define PENSTOCK_DTYPE(name, type, kind, npy) fill_type<type>(table);
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
