// SPDX-License-Identifier: Apache-2.0
#include "penstock/thread/shares.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "penstock/thread/parallel.h"
#include "penstock/thread/watchdog.h"

namespace penstock::thread {
namespace {

std::vector<std::int64_t> claimed_by(Shares& shares, int worker, std::int64_t most) {
  std::vector<std::int64_t> items;
  while (std::ssize(items) < most) {
    const std::int64_t item = shares.claim(worker);
    if (item < 0) break;
    items.push_back(item);
  }
  return items;
}

TEST(Shares, AWorkerTakesItsOwnRangeThenWhatOthersLeft) {
  Shares shares(10, 3);  // 0 to 2, 3 to 5, 6 to 9
  EXPECT_EQ(claimed_by(shares, 1, 2), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(claimed_by(shares, 2, 5), (std::vector<std::int64_t>{6, 7, 8, 9, 0}));
  EXPECT_EQ(claimed_by(shares, 1, 9), (std::vector<std::int64_t>{5, 1, 2}));
  EXPECT_EQ(shares.claim(0), -1);
}

TEST(Shares, NobodyIsGivenAnythingAfterAStop) {
  Shares shares(10, 2);
  EXPECT_EQ(shares.claim(1), 5);
  shares.stop();
  EXPECT_EQ(shares.claim(0), -1);
  EXPECT_EQ(shares.claim(1), -1);
}

TEST(Shares, EachItemOnceForAnyNumberOfItemsAndWorkers) {
  const Watchdog watchdog;
  for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 1000}) {
    for (const int workers : {1, 2, 3, 4, 7}) {
      Shares shares(n, workers);
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
      on_workers(workers, [&](int worker) {
        for (std::int64_t i = shares.claim(worker); i >= 0; i = shares.claim(worker))
          ++seen[static_cast<std::size_t>(i)];
      });
      for (const auto& times : seen) EXPECT_EQ(times, 1) << n << " items, " << workers << " workers";
    }
  }
}

}  // namespace
}  // namespace penstock::thread
