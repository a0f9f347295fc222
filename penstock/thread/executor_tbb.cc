// SPDX-License-Identifier: Apache-2.0
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "penstock/base/fork.h"
#include "penstock/thread/executor.h"

namespace penstock::thread {
namespace {

/// An arena of a given width; oneTBB otherwise sizes itself by the host, not by what the process was asked to use.
struct Arena {
  explicit Arena(int workers)
      : width(workers),
        limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(workers)),
        arena(workers) {}
  int width;
  tbb::global_control limit;
  tbb::task_arena arena;
};

std::shared_ptr<Arena> arena_of(int workers) {
  static std::mutex mutex;
  static std::shared_ptr<Arena> current;
  const std::lock_guard lock(mutex);
  // A wider arena serves narrower loops: `workers` bodies are all that ever run in it.
  if (!current || current->width < workers) current = std::make_shared<Arena>(workers);
  return current;
}

/// oneTBB's threads do not exist in a forked child, and its locks may be held there for ever: plain threads do the
/// work.
void execute_in_child(int workers, const std::function<void(int)>& body) {
  std::vector<std::jthread> threads;
  for (int worker = 1; worker < workers; ++worker) threads.emplace_back([&body, worker] { body(worker); });
  body(0);
}

}  // namespace

void execute(int workers, const std::function<void(int)>& body) {
  static const int born = fork_generation();
  if (fork_generation() != born) {
    execute_in_child(workers, body);
    return;
  }
  const std::shared_ptr<Arena> arena = arena_of(workers);
  arena->arena.execute([&] {
    // Isolated: while it waits, this thread takes no task of another evaluation.
    tbb::this_task_arena::isolate([&] { tbb::parallel_for(0, workers, body, tbb::simple_partitioner{}); });
  });
}

}  // namespace penstock::thread
