// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/fork.h"

#include <pthread.h>

#include <atomic>

namespace penstock {
namespace {

std::atomic<int> generation{1};

}  // namespace

int fork_generation() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1); });
  static_cast<void>(registered);
  return generation.load(std::memory_order_relaxed);
}

}  // namespace penstock
