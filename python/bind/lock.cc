// SPDX-License-Identifier: Apache-2.0
#include "lock.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace penstock::bind {
namespace {

using namespace std::chrono_literals;

std::atomic<bool> ending{false};
std::atomic<std::thread::id> ender;
std::atomic<int> asking{0};    // threads that may be waiting for the lock
std::atomic<int> released{0};  // threads at work without it

/// Whether this thread may ask for the lock now. If so, the interpreter does not end before done_asking().
bool may_ask() {
  asking.fetch_add(1);
  if (!too_late()) return true;
  asking.fetch_sub(1);
  return false;
}

void done_asking() { asking.fetch_sub(1); }

void end() {
  ender.store(std::this_thread::get_id());
  ending.store(true);
  PyThreadState* state = PyEval_SaveThread();
  const auto until = std::chrono::steady_clock::now() + 1s;
  while (asking.load() > 0 || (released.load() > 0 && std::chrono::steady_clock::now() < until)) {
    std::this_thread::sleep_for(1ms);
  }
  PyEval_RestoreThread(state);
}

}  // namespace

bool too_late() { return ending.load() && ender.load() != std::this_thread::get_id(); }

void watch_the_end(nanobind::module_& m) {
  m.def("_end", &end, nanobind::sig("def _end() -> None"));
  // The threads that were counted do not exist in a forked child.
  pthread_atfork(nullptr, nullptr, [] {
    asking.store(0);
    released.store(0);
  });
  nanobind::module_::import_("atexit").attr("register")(m.attr("_end"));
}

Unlocked::Unlocked() {
  released.fetch_add(1);
  state_ = PyEval_SaveThread();
}

Unlocked::~Unlocked() {
  released.fetch_sub(1);
  if (!may_ask()) {
    while (true) std::this_thread::sleep_for(1h);
  }
  PyEval_RestoreThread(state_);
  done_asking();
}

Locked::Locked() {
  // A thread that has the lock asks nobody, whatever the time.
  held_ = Py_IsInitialized() && PyGILState_Check();
  if (held_) {
    state_ = PyGILState_Ensure();
    return;
  }
  if (!Py_IsInitialized() || !may_ask()) return;
  state_ = PyGILState_Ensure();
  held_ = true;
  done_asking();
}

Locked::~Locked() {
  if (held_) PyGILState_Release(state_);
}

}  // namespace penstock::bind
