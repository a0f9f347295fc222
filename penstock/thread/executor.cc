// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/executor.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "penstock/base/fork.h"
#include "penstock/base/machine.h"
#include "penstock/base/numa.h"

namespace penstock::thread {
namespace {

using Clock = std::chrono::steady_clock;
using Word = std::atomic<std::uint32_t>;
static_assert(sizeof(Word) == sizeof(std::uint32_t), "the kernel compares 4 bytes");

constexpr std::chrono::microseconds kAwake{50};  // a helper waits for the next job before it sleeps
constexpr std::chrono::microseconds kRow{100};   // between the starts of jobs that come in a row
constexpr std::chrono::milliseconds kLong{1};    // a job of this age gets help as soon as there is some
constexpr std::uint32_t kAsleep = 1U << 31;      // in Job::finished: the caller waits in the kernel
constexpr int kWakesAtOnce = 2;                  // a woken helper wakes the next ones
constexpr std::size_t kLine = 64;                // bytes that CPUs pass on to each other at once

void sleep_while(const Word& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

/// The word may be gone: only its address is used.
void wake(const Word& word, int threads) {
  if (threads > 0) syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

void pause_core() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Where the system refuses, the thread runs anywhere.
void keep_to(std::thread& thread, const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
}

/// Waits awake until `ready()` holds or kAwake is over: what it holds then.
template <class Ready>
bool wait_awake(const Ready& ready) {
  const auto end = Clock::now() + kAwake;
  do {
    for (int i = 0; i < 8; ++i) {
      if (ready()) return true;
      pause_core();
    }
  } while (Clock::now() < end);
  return ready();
}

/// One call of execute(). It lies on the caller's stack: gone once `finished` counts all workers but the caller's own.
struct Job {
  const std::function<void(int)>* body;
  int workers;
  int claimed = 1;  // worker 0 is the caller's
  Clock::time_point opened = Clock::now();
  Word finished{0};
};

class Helpers {
 public:
  Helpers() : cpus_(usable_cpus()), generation_(fork_generation()), placement_(numa_placement()) {}

  int generation() const { return generation_; }
  int count() const { return started_.load(); }
  int asleep() const { return sleeping_.load(); }

  void run(int workers, const std::function<void(int)>& body) {
    Job job{&body, workers};
    wake(calls_, open(job));
    body(0);
    int own = 1;
    for (int worker = claim(job); worker > 0; worker = claim(job), ++own) body(worker);
    wait_for(job, static_cast<std::uint32_t>(workers - own));
    active_.fetch_sub(1);
    if (open_.load() > 0) hand_over();
  }

  bool in_a_row() {
    if (spinning_.load(std::memory_order_relaxed) > 0) return true;
    const auto now = Clock::now().time_since_epoch().count();
    return now - asked_.exchange(now, std::memory_order_relaxed) < Clock::duration(kRow).count();
  }

 private:
  /// Offers the job; the number of sleeping helpers to wake for it.
  int open(Job& job) {
    const std::lock_guard lock(mutex_);
    const int active = active_.fetch_add(1) + 1;
    if (job.workers < 2) return 0;
    start(job.workers - 1);
    jobs_.push_back(&job);
    open_.store(static_cast<int>(jobs_.size()));
    calls_.fetch_add(1);
    return std::clamp(std::min(job.workers - active - spinning_.load(), sleeping_.load()), 0, kWakesAtOnce);
  }

  /// Helpers keep away where callers fill the CPUs; one may come now that a caller leaves. It is woken only for a job
  /// that lasts: callers with short ones are back before it is there.
  void hand_over() {
    const std::lock_guard lock(mutex_);
    const auto old = Clock::now() - kLong;
    const bool lasts = std::any_of(jobs_.begin(), jobs_.end(), [&](const Job* job) { return job->opened < old; });
    calls_.fetch_add(1);
    if (lasts) wake(calls_, std::min(sleeping_.load(), 1));
  }

  void start(int helpers) {
    try {
      while (count() < helpers) {
        std::thread helper([this] { serve(); });
        pthread_setname_np(helper.native_handle(), "penstock");
        keep_to(helper, cpus_of_worker(numa_nodes(), usable_cpu_numbers(), placement_, count() + 1));
        helper.detach();
        started_.fetch_add(1);
      }
    } catch (const std::system_error&) {  // the process has all the threads it may: callers work alone
    }
  }

  int claim(Job& job) {
    const std::lock_guard lock(mutex_);
    return take(job);
  }

  /// An unclaimed worker of the job, -1 when there is none. The caller holds the lock.
  int take(Job& job) {
    if (job.claimed == job.workers) return -1;
    const int worker = job.claimed++;
    if (job.claimed == job.workers) {
      std::erase(jobs_, &job);
      open_.store(static_cast<int>(jobs_.size()));
    }
    return worker;
  }

  /// Until `others` workers have finished on helpers.
  void wait_for(Job& job, std::uint32_t others) const {
    const auto done = [&] { return job.finished.load(std::memory_order_acquire) == others; };
    if (done() || (may_spin() && wait_awake(done))) return;
    std::uint32_t seen = job.finished.fetch_or(kAsleep, std::memory_order_acquire) | kAsleep;
    while (seen != (others | kAsleep)) {
      sleep_while(job.finished, seen);
      seen = job.finished.load(std::memory_order_acquire);
    }
  }

  /// Whoever waits awake takes no CPU from a thread that works.
  bool may_spin() const { return active_.load() + spinning_.load() <= cpus_; }

  /// Runs one worker of the job that fewest work at; false when none wants help.
  bool help() {
    Job* job = nullptr;
    int worker = 0;
    int more = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto fewest = std::min_element(jobs_.begin(), jobs_.end(),
                                           [](const Job* a, const Job* b) { return a->claimed < b->claimed; });
      if (fewest == jobs_.end() || active_.load() >= (*fewest)->workers) return false;
      job = *fewest;
      worker = take(*job);
      const int active = active_.fetch_add(1) + 1;
      const int wanted = std::min(job->workers - job->claimed, job->workers - active - spinning_.load());
      more = std::clamp(std::min(wanted, sleeping_.load()), 0, kWakesAtOnce);
    }
    wake(calls_, more);
    (*job->body)(worker);
    active_.fetch_sub(1);
    // After the count the job may be gone.
    const std::uint32_t before = job->finished.fetch_add(1, std::memory_order_acq_rel);
    if ((before & kAsleep) != 0) wake(job->finished, 1);
    return true;
  }

  [[noreturn]] void serve() {
    while (true) {
      const std::uint32_t seen = calls_.load();
      if (help()) continue;
      const auto called = [&] { return calls_.load() != seen; };
      spinning_.fetch_add(1);
      const bool found = may_spin() && wait_awake(called);
      spinning_.fetch_sub(1);
      if (found) continue;
      // A job opened from here on either sees a sleeper or has changed the word that the kernel compares.
      sleeping_.fetch_add(1);
      sleep_while(calls_, seen);
      sleeping_.fetch_sub(1);
    }
  }

  const int cpus_;
  const int generation_;
  const NumaPlacement placement_;
  std::mutex mutex_;
  std::vector<Job*> jobs_;      // with unclaimed workers
  std::atomic<int> open_{0};    // their number
  std::atomic<int> active_{0};  // threads at work, callers and helpers
  std::atomic<int> started_{0};
  std::atomic<Clock::rep> asked_{0};  // when in_a_row() was last asked in vain
  // Lines of their own: one is read all the time by helpers that wait awake, one is written by them.
  alignas(kLine) Word calls_{0};                 // changes whenever a helper may find work
  alignas(kLine) std::atomic<int> spinning_{0};  // helpers that wait awake
  std::atomic<int> sleeping_{0};
};

/// This process's helpers: a forked child has none of its parent's. Never destroyed, as threads serve until the end.
Helpers& helpers() {
  static std::atomic<Helpers*> current{nullptr};
  Helpers* found = current.load(std::memory_order_acquire);
  while (found == nullptr || found->generation() != fork_generation()) {
    auto made = std::make_unique<Helpers>();
    if (current.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) found = made.release();
  }
  return *found;
}

}  // namespace

void execute(int workers, const std::function<void(int)>& body) { helpers().run(workers, body); }
bool in_a_row() { return helpers().in_a_row(); }
HelperCount helper_count() { return {helpers().count(), helpers().asleep()}; }

}  // namespace penstock::thread
