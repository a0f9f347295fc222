// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels of bool and integers.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/elementwise_integer.cc"
#include "hwy/foreach_target.h"
#include "penstock/kernel/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

void fill_elementwise_integer(Table& table);
void fill_elementwise_integer(Table& table) {
  fill_elementwise<bool>(table);
  fill_elementwise<std::int8_t>(table);
  fill_elementwise<std::int16_t>(table);
  fill_elementwise<std::int32_t>(table);
  fill_elementwise<std::int64_t>(table);
  fill_elementwise<std::uint8_t>(table);
  fill_elementwise<std::uint16_t>(table);
  fill_elementwise<std::uint32_t>(table);
  fill_elementwise<std::uint64_t>(table);
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
