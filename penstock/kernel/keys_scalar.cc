// SPDX-License-Identifier: Apache-2.0
// The scalar target of keys.cc.
#define HWY_COMPILE_ONLY_SCALAR
#include "penstock/kernel/keys.cc"
