// SPDX-License-Identifier: Apache-2.0
// Packing, unpacking, streaming and iota under every target.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gtest/gtest.h"
#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

std::vector<unsigned char> random_bytes(std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<unsigned char> bytes(n);
  for (unsigned char& each : bytes) each = static_cast<unsigned char>(random());
  return bytes;
}

enum class Swap { kNone, kWhole, kHalves };

/// out[i] = the element at in + i * stride, a byte at a time.
std::vector<unsigned char> packed(const unsigned char* in, std::int64_t stride, std::int64_t size, std::int64_t n,
                                  Swap swap) {
  std::vector<unsigned char> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const unsigned char* each = in + i * stride;
    for (std::int64_t k = 0; k < size; ++k) {
      const std::int64_t half = size / 2;
      const std::int64_t from = swap == Swap::kNone    ? k
                                : swap == Swap::kWhole ? size - 1 - k
                                                       : k / half * half + half - 1 - k % half;
      out.push_back(each[from]);
    }
  }
  return out;
}

TEST(Copy, PackTakesAnyStrideAndAlignment) {
  const std::vector<unsigned char> bytes = random_bytes(40000);
  const unsigned char* middle = bytes.data() + 20001;
  for_targets([&](const Table& table) {
    for (int log2 = 0; log2 < 5; ++log2) {
      const std::int64_t size = std::int64_t{1} << log2;
      for (const std::int64_t n : sizes_for(size)) {
        for (const std::int64_t stride :
             {std::int64_t{0}, size, -size, 2 * size, 3 * size, size + 1, std::int64_t{-37}, std::int64_t{64}}) {
          const auto check = [&](Pack pack, Swap swap) {
            Operand out(n, size, 1);
            pack(middle, stride, out.data(), n);
            const auto expected = packed(middle, stride, size, n, swap);
            EXPECT_TRUE(n == 0 || std::memcmp(out.data(), expected.data(), out.bytes()) == 0)
                << n << " of " << size << " bytes, stride " << stride << ", swap " << static_cast<int>(swap)
                << " under " << table.target;
            EXPECT_TRUE(out.intact());
          };
          check(table.pack[log2], Swap::kNone);
          check(table.pack_swapped[log2], Swap::kWhole);
          if (size >= 8) check(table.pack_swapped_pairs[log2 - 3], Swap::kHalves);
        }
      }
    }
  });
}

TEST(Copy, UnpackUndoesPack) {
  for_targets([&](const Table& table) {
    for (int log2 = 0; log2 < 5; ++log2) {
      const std::int64_t size = std::int64_t{1} << log2;
      const std::int64_t n = 4 * (64 / size) + 3;
      const std::vector<unsigned char> bytes = random_bytes(static_cast<std::size_t>(n * size));
      for (const std::int64_t stride : {size, -size, 3 * size, size + 1, std::int64_t{-100}}) {
        std::vector<unsigned char> spread(static_cast<std::size_t>(n * std::abs(stride) + size) + 1, 0xee);
        unsigned char* start = stride > 0 ? spread.data() + 1 : spread.data() + spread.size() - size;
        table.unpack[log2](bytes.data(), start, stride, n);
        EXPECT_EQ(packed(start, stride, size, n, Swap::kNone), bytes)
            << size << " bytes, stride " << stride << " under " << table.target;
        const auto kept = std::count(spread.begin(), spread.end(), 0xee);
        const auto own = std::count(bytes.begin(), bytes.end(), 0xee);
        EXPECT_EQ(kept - own, static_cast<std::int64_t>(spread.size()) - n * size)
            << "bytes between elements were written";
      }
    }
  });
}

TEST(Copy, TransposeTurnsRunsIntoColumns) {
  for_targets([&](const Table& table) {
    for (int log2 = 0; log2 < 5; ++log2) {
      const std::int64_t size = std::int64_t{1} << log2;
      for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
               {0, 3}, {1, 1}, {1, 40}, {40, 1}, {16, 16}, {17, 8}, {15, 33}, {32, 64}, {67, 71}, {130, 128}}) {
        for (const std::int64_t gap : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3} * size}) {
          const std::int64_t in_stride = rows * size + gap;
          // Without a gap the output is aligned, as far as its columns let it.
          const std::int64_t out_stride = columns * size + gap;
          const std::vector<unsigned char> in = random_bytes(static_cast<std::size_t>(columns * in_stride) + 1);
          Operand place(rows * out_stride, 1, gap);
          std::memset(place.data(), 0xee, place.bytes());
          std::vector<unsigned char> expected(static_cast<std::size_t>(rows * out_stride), 0xee);
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = 0; c < columns; ++c)
              std::memcpy(expected.data() + r * out_stride + c * size, in.data() + 1 + c * in_stride + r * size,
                          static_cast<std::size_t>(size));
          }
          table.transpose[log2](in.data() + 1, in_stride, place.data(), out_stride, rows, columns);
          const auto* first = reinterpret_cast<const unsigned char*>(place.data());
          EXPECT_TRUE(place.intact());
          EXPECT_EQ(std::vector<unsigned char>(first, first + rows * out_stride), expected)
              << rows << " x " << columns << " of " << size << " bytes, gap " << gap << " under " << table.target;
        }
      }
    }
  });
}

TEST(Copy, StreamCopiesAnySizeFromAndToAnyAddress) {
  const std::vector<unsigned char> bytes = random_bytes(2000);
  for_targets([&](const Table& table) {
    for (std::int64_t n = 0; n < 400; n += n < 140 ? 1 : 37) {
      for (const std::int64_t skew : {0, 1, 16, 33, 63}) {
        Operand out(n, 1, skew);
        table.stream(bytes.data() + n % 7, out.data(), n);
        table.fence();
        EXPECT_TRUE(n == 0 || std::memcmp(out.data(), bytes.data() + n % 7, static_cast<std::size_t>(n)) == 0)
            << n << " bytes at " << skew;
        EXPECT_TRUE(out.intact()) << n << " bytes at " << skew << " under " << table.target;
      }
    }
  });
}

template <class T>
void check_iota(const Table& table, T start, T delta, std::int64_t first, std::int64_t step) {
  constexpr std::int64_t kN = 131;
  Operand out(kN, sizeof(T), 1);
  table.iota[index_of(kDTypeOf<T>)](&start, &delta, first, step, out.data(), kN);
  for (std::int64_t i = 0; i < kN; ++i) {
    const std::int64_t k = first + i * step;
    T expected;
    if constexpr (std::is_integral_v<T>) {
      expected = static_cast<T>(static_cast<std::uint64_t>(start) +
                                static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(delta));
    } else if constexpr (std::is_floating_point_v<T>) {
      expected = static_cast<T>(double{start} + static_cast<double>(k) * double{delta});
    } else {
      using R = typename T::value_type;
      expected = {static_cast<R>(double{start.real()} + static_cast<double>(k) * double{delta.real()}),
                  static_cast<R>(double{start.imag()} + static_cast<double>(k) * double{delta.imag()})};
    }
    ASSERT_TRUE(same(out.as<T>()[i], expected)) << name_of(kDTypeOf<T>) << " " << i << ": " << text_of(out.as<T>()[i])
                                                << " under " << table.target << ", expected " << text_of(expected);
  }
}

TEST(Copy, IotaCountsInItsDtype) {
  for_targets([&](const Table& table) {
    for (int t = 0; t < kDTypeCount; ++t) {
      visit(static_cast<DType>(t), [&]<class T>() {
        if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, bool>) {
          check_iota<T>(table, T(3), T(1), 0, 1);
          check_iota<T>(table, T(100), T(7), 1000000007, 3);
          if constexpr (std::is_floating_point_v<T>) check_iota<T>(table, T(-0.3), T(0.1), -50, 7);
          if constexpr (std::is_integral_v<T>) check_iota<T>(table, std::numeric_limits<T>::max(), T(-3), -5, 11);
        }
      });
    }
  });
}

}  // namespace
}  // namespace penstock::kernel
