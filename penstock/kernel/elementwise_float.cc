// SPDX-License-Identifier: Apache-2.0
// Elementwise kernels of float32 and float64, apart from maths.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/elementwise_float.cc"
#include "hwy/foreach_target.h"
#include "penstock/kernel/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {

void fill_elementwise_float(Table& table);
void fill_elementwise_float(Table& table) {
  fill_elementwise<float>(table);
  fill_elementwise<double>(table);
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
