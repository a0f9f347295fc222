// SPDX-License-Identifier: Apache-2.0
// The scalar target of elementwise_integer.cc.
#define HWY_COMPILE_ONLY_SCALAR
#include "penstock/kernel/elementwise_integer.cc"
