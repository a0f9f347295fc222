// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/crew.h"

#include <algorithm>

#include "penstock/thread/parallel.h"
#include "penstock/thread/shares.h"

namespace penstock::run {

void share(const Crew& crew, std::int64_t n, const std::function<void(int, std::int64_t)>& f) {
  const int used = static_cast<int>(std::min<std::int64_t>(n, crew.threads));
  if (used <= 1) {
    for (std::int64_t i = 0; i < n; ++i) {
      if (crew.tick != nullptr) (*crew.tick)();
      f(0, i);
    }
    return;
  }
  thread::Shares shares(n, used);
  thread::on_workers(used, [&](int worker) {
    try {
      for (std::int64_t i = shares.claim(worker); i >= 0; i = shares.claim(worker)) {
        if (crew.tick != nullptr) (*crew.tick)();
        f(worker, i);
      }
    } catch (...) {
      shares.stop();
      throw;
    }
  });
}

}  // namespace penstock::run
