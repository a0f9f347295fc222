// SPDX-License-Identifier: Apache-2.0
// Reading a mapping whose file another process may truncate: SIGBUS becomes a return value.
#pragma once

namespace penstock::memory {

/// Runs `body(context)` on this thread; false when it touched a mapped page that has no file behind it any more. The
/// body is left by a jump then: it may only call kernels and copy memory - no destructor, lock, allocation or exception
/// inside. Guards may nest. Faults outside a guard go to the handler that was installed before, or end the process.
bool guarded(void (*body)(void* context), void* context);

}  // namespace penstock::memory
