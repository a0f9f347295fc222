// SPDX-License-Identifier: Apache-2.0
// argmin and argmax for every dtype with an order.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/reduce_arg.cc"
#include "hwy/foreach_target.h"
#include "penstock/kernel/reduce_arg-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

template <class T>
void fill_type(Table& table) {
  if constexpr (std::is_arithmetic_v<T>) {
    using Lane = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;
    table.reduce[index_of(Reduction::k_argmin)][index_of(kDTypeOf<T>)] = arg_reducer<ArgMin<Lane>>();
    table.reduce[index_of(Reduction::k_argmax)][index_of(kDTypeOf<T>)] = arg_reducer<ArgMax<Lane>>();
  }
}

}  // namespace

void fill_reduce_arg(Table& table);
void fill_reduce_arg(Table& table) {
#define PENSTOCK_DTYPE(name, type, kind, npy) fill_type<type>(table);
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
