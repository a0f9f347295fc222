// SPDX-License-Identifier: Apache-2.0
// The loops that measure a machine compute what they say, under every target.
#include "penstock/kernel/ceilings.h"

#include <bit>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

constexpr std::size_t kWide = kCeilingBytes / 8;
constexpr std::size_t kNarrow = kCeilingBytes / 4;

TEST(Ceilings, ReadTakesEveryWord) {
  for (const std::size_t n : {std::size_t{0}, std::size_t{64}, std::size_t{192}}) {
    std::vector<std::uint64_t> words(n + 1);
    std::mt19937_64 random(n);
    for (std::uint64_t& each : words) each = random();
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < n; ++i) expected ^= words[i];
    for_targets([&](const Table& table) {
      EXPECT_EQ(ceilings().read(words.data(), static_cast<std::int64_t>(n)), expected) << table.target;
    });
  }
}

TEST(Ceilings, StreamsWriteWhatTheySayAndNoMore) {
  constexpr std::int64_t kCount = 3 * kCeilingUnit;
  Operand a(kCount, 8, 1);
  Operand b(kCount, 8, 2);
  for (std::int64_t i = 0; i < kCount; ++i) {
    a.as<double>()[i] = static_cast<double>(i);
    b.as<double>()[i] = static_cast<double>(i * i);
  }
  for_targets([&](const Table& table) {
    const Ceilings loops = ceilings();
    const struct {
      decltype(loops.copy) loop;
      double factor;
    } cases[] = {{loops.copy, 0}, {loops.add, 1}, {loops.triad, 3}};
    for (const auto& each : cases) {
      for (const bool past : {false, true}) {
        Operand out(kCount, 8);
        each.loop(a.as<double>(), b.as<double>(), out.as<double>(), kCount, past);
        for (std::int64_t i = 0; i < kCount; ++i) {
          ASSERT_EQ(out.as<double>()[i], static_cast<double>(i) + each.factor * static_cast<double>(i * i))
              << table.target << " " << i << " past " << past;
        }
        EXPECT_TRUE(out.intact()) << table.target;
      }
    }
  });
}

template <class T, class F>
void expect_fma(std::size_t width, const F& loop) {
  for (const std::int64_t rounds : {0, 1, 7, 20}) {
    std::vector<T> state(width + 1);
    std::vector<T> expected(width + 1);
    for (std::size_t i = 0; i <= width; ++i) expected[i] = state[i] = static_cast<T>(i);
    for (std::size_t i = 0; i < width; ++i) {
      // Exact where few bits are needed: both roundings agree.
      for (std::int64_t r = 0; r < rounds; ++r) expected[i] = std::fma(expected[i], T(0.5), T(1));
    }
    loop(state.data(), rounds);
    for (std::size_t i = 0; i <= width; ++i) {
      // A target without FMA rounds twice; the chain forgets half of an error in each round.
      ASSERT_NEAR(state[i], expected[i], 4 * std::numeric_limits<T>::epsilon() * expected[i]) << rounds << " " << i;
    }
  }
}

TEST(Ceilings, MultiplyAddsRunEveryRound) {
  for_targets([&](const Table& table) {
    SCOPED_TRACE(table.target);
    expect_fma<float>(kNarrow, ceilings().fma_f32);
    expect_fma<double>(kWide, ceilings().fma_f64);
  });
}

TEST(Ceilings, OnesAreCountedInEveryRound) {
  for_targets([&](const Table& table) {
    for (const std::int64_t rounds : {0, 1, 5}) {
      std::vector<std::uint64_t> state(kWide);
      std::mt19937_64 random(3);
      for (std::uint64_t& each : state) each = random();
      std::vector<std::uint64_t> expected = state;
      for (std::uint64_t& each : expected) {
        for (std::int64_t r = 0; r < rounds; ++r) each += static_cast<std::uint64_t>(std::popcount(each));
      }
      ceilings().popcount(state.data(), rounds);
      EXPECT_EQ(state, expected) << table.target << " " << rounds;
    }
  });
}

TEST(Ceilings, BytesAreMultipliedWithTheirSigns) {
  // 127, 1, 0, 100 times -127, 5, 9, -3
  const std::uint32_t a = 127u | 1u << 8 | 0u << 16 | 100u << 24;
  const std::uint32_t b = 0x81u | 5u << 8 | 9u << 16 | 0xfdu << 24;
  constexpr std::int32_t kDot = 127 * -127 + 5 - 300;
  for_targets([&](const Table& table) {
    for (const std::int64_t rounds : {0, 1, 9}) {
      std::vector<std::int32_t> state(kNarrow);
      std::vector<std::int32_t> expected(kNarrow);
      for (std::size_t i = 0; i < kNarrow; ++i) {
        state[i] = static_cast<std::int32_t>(i);
        expected[i] = state[i] + static_cast<std::int32_t>(rounds) * kDot;
      }
      ceilings().dot_int8(state.data(), a, b, rounds);
      EXPECT_EQ(state, expected) << table.target << " " << rounds;
    }
  });
}

}  // namespace
}  // namespace penstock::kernel
