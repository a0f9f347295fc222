// SPDX-License-Identifier: Apache-2.0
// Worker threads that wait awake for a moment before they sleep: evaluations often follow each other within
// microseconds, and waking a sleeping thread takes longer than many of them last.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "penstock/thread/executor.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace penstock::thread {
namespace {

constexpr std::chrono::microseconds kAwake{60};

void pause_core() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits awake until `ready()` holds or kAwake is over.
template <class Ready>
void wait_awake(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kAwake;
  while (!ready()) {
    for (int i = 0; i < 32; ++i) pause_core();
    if (std::chrono::steady_clock::now() >= end) return;
  }
}

/// One call of execute(): workers are claimed one by one by whoever is free.
struct Job {
  const std::function<void(int)>* body;
  const int workers;
  int claimed = 0;
  std::atomic<int> finished{0};
};

class Pool {
 public:
  void run(int workers, const std::function<void(int)>& body) {
    Job job{&body, workers};
    {
      std::unique_lock lock(mutex_);
      while (static_cast<int>(threads_.size()) < workers - 1) threads_.emplace_back([this] { serve(); });
      jobs_.push_back(&job);
      open_.store(static_cast<int>(jobs_.size()), std::memory_order_release);
      if (sleeping_ > 0) wake_.notify_all();
      while (step(lock, job)) {
      }
    }
    const auto done = [&] { return job.finished.load(std::memory_order_acquire) == workers; };
    wait_awake(done);
    if (done()) return;
    std::unique_lock lock(mutex_);
    done_.wait(lock, done);
  }

 private:
  /// Runs one unclaimed worker of `job`; false when there is none.
  bool step(std::unique_lock<std::mutex>& lock, Job& job) {
    if (job.claimed == job.workers) return false;
    const int worker = job.claimed++;
    if (job.claimed == job.workers) {
      std::erase(jobs_, &job);
      open_.store(static_cast<int>(jobs_.size()), std::memory_order_release);
    }
    const int workers = job.workers;
    lock.unlock();
    (*job.body)(worker);
    lock.lock();
    // The job is its caller's: after the last count nobody may touch it.
    if (job.finished.fetch_add(1, std::memory_order_acq_rel) + 1 == workers) done_.notify_all();
    return true;
  }

  void serve() {
    std::unique_lock lock(mutex_, std::defer_lock);
    while (true) {
      wait_awake([&] { return open_.load(std::memory_order_acquire) > 0; });
      lock.lock();
      while (jobs_.empty()) {
        ++sleeping_;
        wake_.wait(lock);
        --sleeping_;
      }
      step(lock, *jobs_.front());
      lock.unlock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::deque<Job*> jobs_;     // with unclaimed workers
  std::atomic<int> open_{0};  // their number, for those who wait awake
  int sleeping_ = 0;
  std::vector<std::thread> threads_;
};

std::mutex pool_mutex;
Pool* pool = nullptr;

Pool& the_pool() {
  const std::lock_guard lock(pool_mutex);
  if (pool == nullptr) {
    pool = new Pool;  // never destroyed: its threads serve until the process ends
    static const int registered = pthread_atfork([] { pool_mutex.lock(); }, [] { pool_mutex.unlock(); },
                                                 [] {
                                                   // The parent's threads do not exist in the child.
                                                   pool = nullptr;
                                                   pool_mutex.unlock();
                                                 });
    static_cast<void>(registered);
  }
  return *pool;
}

}  // namespace

void execute(int workers, const std::function<void(int)>& body) { the_pool().run(workers, body); }

}  // namespace penstock::thread
