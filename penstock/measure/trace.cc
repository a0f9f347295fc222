// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/trace.h"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <new>
#include <vector>

namespace penstock::measure {
namespace {

using trace_detail::Clock;

struct Event {
  Step step;
  int thread;
  Clock::time_point begin;
  Clock::time_point end;
};

struct Trace {
  std::mutex mutex;
  Clock::time_point start;
  std::vector<Event> events;
  std::size_t most = 0;
  std::int64_t dropped = 0;
};

/// Never destroyed: threads may end after main.
Trace& trace() {
  static auto* made = new Trace;
  return *made;
}

int thread_number() {
  static std::atomic<int> next{1};
  thread_local const int mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

/// In a forked child: the thread that held the lock may not exist here.
void forget_parent() {
  new (&trace().mutex) std::mutex;
  trace_detail::recording.store(false, std::memory_order_relaxed);
}

std::string microseconds(Clock::duration time) {
  const std::int64_t nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  const std::string part = std::to_string(nanoseconds % 1000);
  return std::to_string(nanoseconds / 1000) + "." + std::string(3 - part.size(), '0') + part;
}

}  // namespace

namespace trace_detail {

void record(Step step, Clock::time_point begin, Clock::time_point end) {
  const int thread = thread_number();
  Trace& to = trace();
  const std::lock_guard lock(to.mutex);
  // Begun in an earlier trace, or ended after this one.
  if (!recording.load(std::memory_order_relaxed) || begin < to.start) return;
  if (to.events.size() >= to.most) {
    ++to.dropped;
  } else {
    to.events.push_back({step, thread, begin, end});
  }
}

}  // namespace trace_detail

bool start_trace(std::size_t most) {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_parent);
  static_cast<void>(registered);
  Trace& to = trace();
  const std::lock_guard lock(to.mutex);
  if (trace_detail::recording.load(std::memory_order_relaxed)) return false;
  to.events.clear();
  to.most = most;
  to.dropped = 0;
  to.start = Clock::now();
  trace_detail::recording.store(true, std::memory_order_relaxed);
  return true;
}

std::string stop_trace() {
  Trace& from = trace();
  const std::lock_guard lock(from.mutex);
  trace_detail::recording.store(false, std::memory_order_relaxed);
  const std::string process = std::to_string(getpid());
  std::string text = "{\"traceEvents\": [";
  for (const Event& each : from.events) {
    if (text.back() != '[') text += ',';
    text += std::string("\n{\"name\": \"") + name_of(each.step) + "\", \"ph\": \"X\", \"pid\": " + process +
            ", \"tid\": " + std::to_string(each.thread) + ", \"ts\": " + microseconds(each.begin - from.start) +
            ", \"dur\": " + microseconds(each.end - each.begin) + "}";
  }
  text += "], \"dropped\": " + std::to_string(from.dropped) + "}\n";
  from.events = {};
  return text;
}

}  // namespace penstock::measure
