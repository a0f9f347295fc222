// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <pthread.h>

#include "penstock/thread/executor.h"

namespace penstock::thread {
namespace {

/// One call of execute(): workers are claimed one by one by whoever is free.
struct Job {
  const std::function<void(int)>* body;
  int workers;
  int claimed = 0;
  int finished = 0;
};

class Pool {
 public:
  void run(int workers, const std::function<void(int)>& body) {
    Job job{&body, workers};
    std::unique_lock lock(mutex_);
    while (static_cast<int>(threads_.size()) < workers - 1) threads_.emplace_back([this] { serve(); });
    jobs_.push_back(&job);
    wake_.notify_all();
    while (step(lock, job)) {
    }
    done_.wait(lock, [&] { return job.finished == job.workers; });
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  /// Runs one unclaimed worker of `job`; false when there is none.
  bool step(std::unique_lock<std::mutex>& lock, Job& job) {
    if (job.claimed == job.workers) return false;
    const int worker = job.claimed++;
    if (job.claimed == job.workers) std::erase(jobs_, &job);
    lock.unlock();
    (*job.body)(worker);
    lock.lock();
    // The waiting caller owns the job: nobody may touch it after the last count.
    if (++job.finished == job.workers) done_.notify_all();
    return true;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (jobs_.empty()) wake_.wait(lock);
      else step(lock, *jobs_.front());
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::deque<Job*> jobs_;
  std::vector<std::thread> threads_;
  bool stop_ = false;
};

Pool* pool = nullptr;
std::mutex pool_mutex;

Pool& the_pool() {
  const std::lock_guard lock(pool_mutex);
  if (pool == nullptr) {
    pool = new Pool;  // kept until the process ends: its threads may outlive static destructors
    static const int registered = pthread_atfork([] { pool_mutex.lock(); }, [] { pool_mutex.unlock(); },
                                                 [] {
                                                   // The parent's threads do not exist here.
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
