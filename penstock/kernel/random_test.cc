// SPDX-License-Identifier: Apache-2.0
// Numbers made of a counter, under every target: the published vectors of the cipher, and what is made of words at the
// ends of their range. That all targets agree is a matter of the sweep of elementwise operations.
#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

/// The operation's results for words, on each target.
template <class R, class F>
void for_results(Op op, const std::vector<std::vector<std::uint64_t>>& operands, const F& f) {
  for_targets([&](const Table& table) {
    std::vector<R> out(operands[0].size());
    const void* in[kMaxArity] = {};
    for (std::size_t k = 0; k < operands.size(); ++k) in[k] = operands[k].data();
    table.elementwise[index_of(op)][index_of(DType::k_uint64)](in, out.data(), std::ssize(out));
    f(table, out);
  });
}

TEST(Random, ThreefryGivesThePublishedVectors) {
  // Of Random123, "threefry2x32 20": counter, key and result, the first word in the lower half.
  const std::vector<std::uint64_t> counters{0, kAll, 0x85a308d3'243f6a88};
  const std::vector<std::uint64_t> keys{0, kAll, 0x03707344'13198a2e};
  const std::vector<std::uint64_t> expected{0x99ba4efe'6b200159, 0xbb002be7'1cb996fc, 0x483df7a0'c4923a9c};
  for_results<std::uint64_t>(Op::k_random_bits, {counters, keys},
                             [&](const Table& table, const auto& got) { EXPECT_EQ(got, expected) << table.target; });
}

TEST(Random, BelowScalesFractionsOf128Bits) {
  const std::vector<std::uint64_t> high{0, kAll, kAll, std::uint64_t{1} << 63, 0x5555'5555'5555'5555, kAll};
  const std::vector<std::uint64_t> low{0, kAll, 0, 0, 0x5555'5555'5555'5556, kAll};
  const std::vector<std::uint64_t> n{10, 10, 1, 10, 3, kAll};
  // 0x5555... and a bit more is just a third.
  const std::vector<std::uint64_t> expected{0, 9, 0, 5, 1, kAll - 1};
  for_results<std::uint64_t>(Op::k_random_below, {high, low, n},
                             [&](const Table& table, const auto& got) { EXPECT_EQ(got, expected) << table.target; });
}

TEST(Random, UnitsAreTheUpperBits) {
  const std::vector<double> expected{0, 0, 0x1p-53, 0.5, 1 - 0x1p-53};
  for_results<double>(Op::k_random_unit, {{0, 2047, 2048, std::uint64_t{1} << 63, kAll}},
                      [&](const Table& table, const auto& got) { EXPECT_EQ(got, expected) << table.target; });
}

TEST(Random, ExponentialsAreMinusLog) {
  const std::vector<std::uint64_t> words{0, 1, kAll, std::uint64_t{1} << 63, std::uint64_t{1} << 62, 12345678901234567};
  for_results<double>(Op::k_random_exponential, {words}, [&](const Table& table, const auto& got) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const double expected = -std::log(std::ldexp(static_cast<double>(words[i] | 1), -64));
      EXPECT_NEAR(got[i], expected, 2e-16 * 2 * expected) << table.target << " of " << words[i];
      EXPECT_FALSE(std::signbit(got[i])) << table.target;
    }
  });
}

TEST(Random, NormalsAreQuantiles) {
  // Upper tails of 1/2, 1/4, Phi(-1), Phi(-2), Phi(-6), the last as closely as words have it.
  const double tails[] = {0.5 - 0x1p-53, 0.25, 0.15865525393145705, 0.022750131948179195, 9.865876450376946e-10};
  const double quantiles[] = {0, 0.6744897501960817, 1, 2, 6};
  std::vector<std::uint64_t> words;
  for (const double tail : tails) words.push_back(static_cast<std::uint64_t>(std::ldexp(tail, 64)));
  for (std::size_t i = 0; i < std::size(tails); ++i) words.push_back(words[i] | std::uint64_t{1} << 63);
  words.push_back(0);
  for_results<double>(Op::k_random_normal, {words}, [&](const Table& table, const auto& got) {
    for (std::size_t i = 0; i < std::size(tails); ++i) {
      EXPECT_NEAR(got[i], quantiles[i], quantiles[i] > 2 ? 1e-11 : 4e-15) << table.target;
      EXPECT_EQ(got[i + std::size(tails)], -got[i]) << table.target;
    }
    EXPECT_NEAR(got.back(), 9.155293772686074, 1e-13) << table.target;
  });
}

}  // namespace
}  // namespace penstock::kernel
