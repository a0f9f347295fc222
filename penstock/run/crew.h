// SPDX-License-Identifier: Apache-2.0
// Threads that share the pieces of one computation.
#pragma once

#include <cstdint>
#include <functional>

namespace penstock::run {

/// Who works, and what is called between pieces of the work.
struct Crew {
  int threads = 1;
  const std::function<void()>* tick = nullptr;
};

/// Calls f(worker, i) for i in [0, n): each of the crew's threads goes through a part of its own, then through what is
/// left of the others'. `worker` is below crew.threads.
void share(const Crew& crew, std::int64_t n, const std::function<void(int, std::int64_t)>& f);

}  // namespace penstock::run
