// SPDX-License-Identifier: Apache-2.0
// The interpreter's lock: given up for every piece of work, and taken back, but not from an interpreter that ends.
//
// A thread that asks an ending interpreter for its lock is unwound by force (CPython before 3.14), which no C++ frame
// with a destructor survives. So a thread that is late stops here for good; the process is about to end.
#pragma once

#include <nanobind/nanobind.h>

namespace penstock::bind {

/// Registers what is to happen when the interpreter ends: evaluations under way in other threads are cancelled, and get
/// a second to let go of what they hold.
void watch_the_end(nanobind::module_& m);

/// Whether the interpreter is ending and this thread is not the one that ends it.
bool too_late();

/// Without the interpreter's lock, while it lives.
class Unlocked {
 public:
  Unlocked();
  /// Does not return when it is too late.
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_;
};

/// With the interpreter's lock, from any thread, while it lives; without it when it is too late.
class Locked {
 public:
  Locked();
  ~Locked();
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

  explicit operator bool() const { return held_; }

 private:
  bool held_;
  PyGILState_STATE state_{};
};

/// Runs `f` without the interpreter's lock.
template <class F>
auto unlocked(F&& f) {
  const Unlocked released;
  return f();
}

}  // namespace penstock::bind
