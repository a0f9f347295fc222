// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace penstock::measure {
namespace {

TEST(Counters, AddUpFromManyThreads) {
  const std::int64_t before = value(Counter::k_tiles);
  const std::int64_t other = value(Counter::k_passes);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 1000; ++i) add(Counter::k_tiles, 3);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(value(Counter::k_tiles) - before, 12000);
  EXPECT_EQ(value(Counter::k_passes), other);
}

TEST(Counters, EachRowHasItsNameOnce) {
  add(Counter::k_bytes_copied, 5);
  std::set<std::string> names;
  for (const auto& [name, number] : counter_values()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    if (std::string(name) == "bytes_copied") {
      EXPECT_EQ(number, value(Counter::k_bytes_copied));
    }
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Counter::kEnd));
  EXPECT_EQ(names.count("bytes_copied"), 1u);
}

}  // namespace
}  // namespace penstock::measure
