// SPDX-License-Identifier: Apache-2.0
// The scalar target of elementwise_maths.cc.
#define HWY_COMPILE_ONLY_SCALAR
#include "penstock/kernel/elementwise_maths.cc"
