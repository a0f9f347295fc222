// SPDX-License-Identifier: Apache-2.0
// HWY_NAMESPACE, HWY_BEFORE_NAMESPACE, HWY_ATTR and HWY_MAX_BYTES of the target being compiled, without Highway's
// vectors, whose header takes a second per target to parse. For loops that the compiler vectorises by itself.
// No include guard: each inclusion sets the macros anew from HWY_TARGET.
#include "hwy/base.h"
#include "hwy/ops/set_macros-inl.h"
