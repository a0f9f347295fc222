// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/parallel.h"

#include <algorithm>
#include <utility>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/thread/executor.h"

namespace penstock::thread {
namespace {

constexpr int kMaxThreads = 1024;

std::atomic<int> set_threads{0};
thread_local bool inside = false;

/// PENSTOCK_THREADS, 0 when unset.
int threads_from_environment() {
  const auto threads = env_value(Env::kTHREADS, [](const std::string& text) {
    const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    const std::int64_t count = number ? parse_count(text) : 0;
    if (count < 1 || count > kMaxThreads)
      throw ArgumentError(cat("'", text, "' is no number of threads; use 1 to ", kMaxThreads));
    return static_cast<int>(count);
  });
  return threads.value_or(0);
}

int default_count() {
  static const int from_environment = threads_from_environment();
  static const int cpus = usable_cpus();
  return from_environment > 0 ? from_environment : cpus;
}

/// Keeps the first exception of several threads.
class FirstError {
 public:
  void capture() noexcept {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    failed_.store(true, std::memory_order_relaxed);
  }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};
};

}  // namespace

int count() {
  if (!parallel_enabled()) return 1;
  const int set = set_threads.load(std::memory_order_relaxed);
  return set > 0 ? set : default_count();
}

void set_count(std::int64_t threads) {
  if (threads < 0 || threads > kMaxThreads)
    throw ArgumentError(cat("thread count ", threads, " is not in [0, ", kMaxThreads, "]"));
  set_threads.store(static_cast<int>(threads), std::memory_order_relaxed);
}

bool inside_loop() { return inside; }

void on_workers(int workers, const std::function<void(int)>& body) {
  if (workers <= 1 || inside) {
    for (int worker = 0; worker < workers; ++worker) body(worker);
    return;
  }
  FirstError error;
  execute(workers, [&](int worker) {
    const bool outer = std::exchange(inside, true);
    try {
      body(worker);
    } catch (...) {
      error.capture();
    }
    inside = outer;
  });
  error.rethrow();
}

void parallel_for(std::int64_t n, const std::function<void(std::int64_t)>& body, int workers) {
  if (n <= 0) return;
  const int wanted = static_cast<int>(std::min<std::int64_t>(workers > 0 ? workers : count(), n));
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  on_workers(wanted, [&](int) {
    while (!stop.load(std::memory_order_relaxed)) {
      const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= n) return;
      try {
        body(i);
      } catch (...) {
        stop.store(true, std::memory_order_relaxed);
        throw;
      }
    }
  });
}

}  // namespace penstock::thread
