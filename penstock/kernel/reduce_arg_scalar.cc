// SPDX-License-Identifier: Apache-2.0
// The scalar target of reduce_arg.cc.
#define HWY_COMPILE_ONLY_SCALAR
#include "penstock/kernel/reduce_arg.cc"
