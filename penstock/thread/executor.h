// SPDX-License-Identifier: Apache-2.0
// The worker threads. A call of execute() is a job whose calls of the body are claimed one by one, by the caller and by
// helpers: a caller never waits for a helper that wakes late. Helpers wait awake for a moment before they sleep, as
// evaluations often follow each other within microseconds and waking a thread takes longer than many of them last; an
// idle program uses no CPU. Threads at work are no more than a job asks for: where callers are that many already, each
// works alone.
#pragma once

#include <functional>

namespace penstock::thread {

/// Calls body(worker) once for each worker in [0, workers), on up to `workers` threads, the calling thread being one;
/// returns when all calls have returned. `body` does not throw. Safe from many threads, and in a forked child.
void execute(int workers, const std::function<void(int)>& body);

/// Whether helpers are awake, or were asked for moments ago, so that waking them pays for the jobs to come.
bool in_a_row();

struct HelperCount {
  int started = 0;
  int asleep = 0;
};
HelperCount helper_count();

}  // namespace penstock::thread
