// SPDX-License-Identifier: Apache-2.0
// Parallel loops with dynamic chunks.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

namespace penstock::thread {

/// Threads an evaluation may use: the set count, else PENSTOCK_THREADS, else the CPUs this process may use (affinity
/// and cgroup quota); 1 while the level has parallelism off. At least 1.
int count();
/// Effective from the next loop on; 0 returns to the default. Throws ArgumentError outside [0, 1024].
void set_count(std::int64_t threads);

/// Calls body(worker) for worker in [0, workers), perhaps at once, on as many threads; returns when all have returned.
/// The first exception of any is thrown here. Inside a body it runs the calls one after the other on the calling
/// thread.
void on_workers(int workers, const std::function<void(int)>& body);

/// Whether the calling thread is inside a body of a loop that several threads share.
bool inside_loop();

/// Calls body(i) for i in [0, n): each worker claims the next unclaimed i, so a slow one does not stall the others.
/// After an exception no further i is claimed; the first is thrown. `workers` 0: count().
void parallel_for(std::int64_t n, const std::function<void(std::int64_t)>& body, int workers = 0);

}  // namespace penstock::thread
