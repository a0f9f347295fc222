// SPDX-License-Identifier: Apache-2.0
// Random expressions: fused, tiled, streamed, on any CPU target, they give what the plain interpreter gives.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "fuzz/try_graph.h"

namespace penstock::run {
namespace {

TEST(RandomGraph, IsWhatThePlainInterpreterSays) {
  const std::int64_t graphs = test_graphs(1500);
  for (std::int64_t seed = 0; seed < graphs; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    std::vector<std::uint8_t> bytes(150);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    try {
      ASSERT_EQ(fuzz::try_graph(bytes, true), "") << "seed " << seed;
    } catch (const Error& error) {
      FAIL() << "seed " << seed << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace penstock::run
