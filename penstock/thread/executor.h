// SPDX-License-Identifier: Apache-2.0
// What a thread library must offer: executor_tbb.cc for use, executor_std.cc where oneTBB can't serve
// (ThreadSanitizer does not see into it; cross builds do without it). CMake compiles one of them.
#pragma once

#include <functional>

namespace penstock::thread {

/// Calls body(worker) once for each worker in [0, workers), on up to `workers` threads, the calling thread being one;
/// returns when all calls have returned. `body` does not throw.
void execute(int workers, const std::function<void(int)>& body);

}  // namespace penstock::thread
