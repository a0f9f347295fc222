// SPDX-License-Identifier: Apache-2.0
// Packed tiles and dot products of every target and dtype against plain loops.

#include <gtest/gtest.h>

#include <cmath>

#include "penstock/kernel/sweep.h"

namespace penstock::kernel {
namespace {

template <class T>
constexpr bool kIsComplex = false;
template <class T>
constexpr bool kIsComplex<std::complex<T>> = true;

/// c + a b, in the order of halves that the header of matmul-inl.h promises; floats with one rounding.
template <class T>
T multiply_add(T a, T b, T c) {
  if constexpr (kIsComplex<T>) {
    using R = typename T::value_type;
    const R re = std::fma(-a.imag(), b.imag(), std::fma(a.real(), b.real(), c.real()));
    return {re, std::fma(a.imag(), b.real(), std::fma(a.real(), b.imag(), c.imag()))};
  } else if constexpr (std::is_same_v<T, bool>) {
    return (a && b) || c;
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::fma(a, b, c);
  } else {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b) +
                          static_cast<std::uint64_t>(c));
  }
}

template <class T>
T add(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  return static_cast<T>(a + b);
}

/// A few values with many different products and no overflow.
template <class T>
std::vector<T> some_values(std::int64_t n, int seed) {
  std::vector<T> all(static_cast<std::size_t>(n));
  std::mt19937_64 random(static_cast<unsigned>(seed));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto bits = static_cast<std::int64_t>(random());
    T value{};
    if constexpr (kIsComplex<T>)
      value = {static_cast<typename T::value_type>(bits % 1000) / 7,
               static_cast<typename T::value_type>(bits % 777) / 3};
    else if constexpr (std::is_floating_point_v<T>)
      value = static_cast<T>(bits % 1000) / 7;
    else
      value = static_cast<T>(bits >> 7);
    all[static_cast<std::size_t>(i)] = value;
  }
  return all;
}

/// Targets without FMA round twice, so only integers keep their bits there.
bool has_bits_of_fma(const Table& table) {
  const std::string target = table.target;
  return target != "sse4" && (target != "scalar" || simd::has_fma());
}

template <class F>
void for_types(const F& f) {
#define PENSTOCK_DTYPE(name, type, kind, npy) \
  if constexpr (!std::is_same_v<type, Half>) f.template operator()<type>();
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

template <class T>
void expect_near(const Table& table, const T& got, const T& wanted, const std::string& where) {
  constexpr bool kFloats = kIsComplex<T> || std::is_floating_point_v<T>;
  if constexpr (kFloats) {
    if (!has_bits_of_fma(table)) {
      EXPECT_LE(std::abs(got - wanted), 1e-4 * (1 + std::abs(wanted))) << where;
      return;
    }
  }
  EXPECT_EQ(got, wanted) << where;
}

enum class Order { kRows, kColumns, kApart };

/// What a matrix stored as `values` has where; row and column strides in elements.
template <class T>
struct Stored {
  std::vector<T> values;
  std::int64_t row = 0;
  std::int64_t column = 0;

  Stored(std::int64_t rows, std::int64_t columns, Order order, int seed) {
    const std::int64_t apart = order == Order::kApart ? 3 : 1;
    row = order == Order::kColumns ? 1 : columns * apart + (order == Order::kApart);
    column = order == Order::kColumns ? rows : apart;
    values = some_values<T>(rows * row + columns * column + 1, seed);
  }
  T at(std::int64_t i, std::int64_t j) const { return values[static_cast<std::size_t>(i * row + j * column)]; }
};

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = values[i];
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof value);
  }
  return bytes;
}

template <class T>
void check_tile(const Table& table, std::int64_t rows, std::int64_t columns, std::int64_t depth, Order order) {
  const Product& kernel = table.product[index_of(kDTypeOf<T>)];
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const Stored<T> a(rows, depth, order, 1);
  const Stored<T> b(depth, columns, order, 2);
  const std::vector<std::byte> a_bytes = bytes_of(a.values);
  const std::vector<std::byte> b_bytes = bytes_of(b.values);
  Operand packed_a(kernel.rows * depth, kernel.packed_bytes);
  Operand packed_b(kernel.columns * depth, kernel.packed_bytes);
  kernel.pack_rows(a_bytes.data(), a.row * kSize, a.column * kSize, rows, depth, packed_a.data());
  kernel.pack_columns(b_bytes.data(), b.column * kSize, b.row * kSize, columns, depth, packed_b.data());
  EXPECT_TRUE(packed_a.intact() && packed_b.intact());
  const std::int64_t stride = columns + 3;
  for (const bool adds : {false, true}) {
    const std::vector<T> before = some_values<T>(rows * stride, 3);
    std::vector<std::byte> out = bytes_of(before);
    kernel.multiply(packed_a.data(), packed_b.data(), depth, out.data(), stride * kSize, rows, columns, adds,
                    packed_b.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < stride; ++j) {
        const auto place = static_cast<std::size_t>(i * stride + j);
        T wanted{};
        for (std::int64_t p = 0; p < depth && j < columns; ++p)
          wanted = multiply_add<T>(a.at(i, p), b.at(p, j), wanted);
        if (adds) wanted = add<T>(before[place], wanted);
        if (j >= columns) wanted = before[place];
        T got{};
        std::memcpy(&got, out.data() + place * sizeof(T), sizeof got);
        expect_near<T>(
            table, got, wanted,
            cat(table.target, " ", name_of(kDTypeOf<T>), " ", rows, "x", columns, "x", depth, " at ", i, ",", j));
      }
    }
  }
}

TEST(Matmul, TilesOfEverySize) {
  for_targets([](const Table& table) {
    for_types([&]<class T>() {
      const Product& kernel = table.product[index_of(kDTypeOf<T>)];
      for (const std::int64_t rows : {std::int64_t{1}, kernel.rows - 1, kernel.rows}) {
        for (const std::int64_t columns : {std::int64_t{1}, kernel.columns / 2, kernel.columns - 1, kernel.columns}) {
          if (rows > 0 && columns > 0) check_tile<T>(table, rows, columns, 5, Order::kRows);
        }
      }
    });
  });
}

TEST(Matmul, EveryOrderOfMemory) {
  for_targets([](const Table& table) {
    for_types([&]<class T>() {
      const Product& kernel = table.product[index_of(kDTypeOf<T>)];
      for (const Order order : {Order::kRows, Order::kColumns, Order::kApart}) {
        for (const std::int64_t depth : {1, 7, 64}) {
          check_tile<T>(table, kernel.rows, kernel.columns, depth, order);
          check_tile<T>(table, 1, 1, depth, order);
        }
      }
    });
  });
}

TEST(Matmul, PanelsFollowEachOther) {
  for_targets([](const Table& table) {
    const Product& kernel = table.product[index_of(DType::k_float32)];
    const std::int64_t rows = 2 * kernel.rows + 1;
    const std::vector<float> a = some_values<float>(rows * 3, 4);
    std::vector<float> packed(static_cast<std::size_t>(3 * kernel.rows * 3));
    kernel.pack_rows(a.data(), 12, 4, rows, 3, packed.data());
    for (std::int64_t i = 0; i < 3 * kernel.rows; ++i) {
      for (std::int64_t p = 0; p < 3; ++p) {
        const std::int64_t at = i / kernel.rows * kernel.rows * 3 + p * kernel.rows + i % kernel.rows;
        EXPECT_EQ(packed[static_cast<std::size_t>(at)], i < rows ? a[static_cast<std::size_t>(i * 3 + p)] : 0);
      }
    }
  });
}

/// The tree as words: leaves of 16 groups over the lanes, halves of lanes, pairs of leaves.
template <class T>
T dot_by_tree(const std::vector<T>& x, const std::vector<T>& y) {
  const std::int64_t lanes = lanes_of(kDTypeOf<T>);
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<T> nodes;
  for (std::int64_t first = 0; first < n; first += lanes * kLeafGroups) {
    std::vector<T> slots(static_cast<std::size_t>(lanes));
    for (std::int64_t i = first; i < std::min(first + lanes * kLeafGroups, n); ++i) {
      const auto at = static_cast<std::size_t>((i - first) % lanes);
      slots[at] = multiply_add<T>(x[static_cast<std::size_t>(i)], y[static_cast<std::size_t>(i)], slots[at]);
    }
    for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) {
        const auto at = static_cast<std::size_t>(i);
        slots[at] = add<T>(slots[at], slots[static_cast<std::size_t>(i + half)]);
      }
    }
    nodes.push_back(slots[0]);
  }
  if (nodes.empty()) return T{};
  while (nodes.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) next.push_back(add<T>(nodes[i], nodes[i + 1]));
    if (nodes.size() % 2 != 0) next.push_back(nodes.back());
    nodes = std::move(next);
  }
  return nodes[0];
}

TEST(Dot, FollowsTheTree) {
  for_targets([](const Table& table) {
    for_types([&]<class T>() {
      const std::int64_t leaf = lanes_of(kDTypeOf<T>) * kLeafGroups;
      for (const std::int64_t n :
           {std::int64_t{0}, std::int64_t{1}, leaf - 1, leaf, leaf + 1, 3 * leaf, kDotLeaves * leaf}) {
        const std::vector<T> x = some_values<T>(n, 5);
        const std::vector<T> y = some_values<T>(n, 6);
        const std::vector<std::byte> x_bytes = bytes_of(x);
        const std::vector<std::byte> y_bytes = bytes_of(y);
        T got{};
        table.product[index_of(kDTypeOf<T>)].dot(x_bytes.data(), y_bytes.data(), n, &got);
        expect_near<T>(table, got, dot_by_tree(x, y), cat(table.target, " ", name_of(kDTypeOf<T>), " ", n));
      }
    });
  });
}

/// A copy of elements that begins `shift` bytes after a line of the cache, among NaNs.
struct Placed {
  Placed(const std::vector<std::byte>& elements, std::int64_t shift) : bytes(elements.size() + 256) {
    std::memset(bytes.data(), 0xff, bytes.size());
    data = bytes.data() + 64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 + shift;
    std::memcpy(data, elements.data(), elements.size());
  }
  std::vector<std::byte> bytes;
  std::byte* data;
};

TEST(Dot, HasTheSameBitsWhereverItsOperandsLie) {
  for_targets([](const Table& table) {
    for_types([&]<class T>() {
      const Product& product = table.product[index_of(kDTypeOf<T>)];
      const std::int64_t leaf = lanes_of(kDTypeOf<T>) * kLeafGroups;
      for (const std::int64_t n : {leaf - 1, leaf, 2 * leaf, kDotLeaves * leaf - 1}) {
        const std::vector<std::byte> x = bytes_of(some_values<T>(n, 5));
        const std::vector<std::byte> y = bytes_of(some_values<T>(n, 6));
        constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
        T usual{};
        product.dot(Placed(x, 0).data, Placed(y, 0).data, n, &usual);
        for (const std::int64_t left : {0, 1, 3}) {
          for (const std::int64_t right : {0, 1, 3}) {
            T got{};
            product.dot(Placed(x, left * kSize).data, Placed(y, right * kSize).data, n, &got);
            EXPECT_EQ(std::memcmp(&got, &usual, sizeof got), 0)
                << table.target << " " << name_of(kDTypeOf<T>) << " " << n << " at " << left << ", " << right;
          }
        }
      }
    });
  });
}

TEST(Dot, Merges) {
  for_targets([](const Table& table) {
    std::complex<double> a{1, 2};
    const std::complex<double> b{3, -5};
    table.product[index_of(DType::k_complex128)].merge(&a, &b);
    EXPECT_EQ(a, (std::complex<double>{4, -3}));
    std::uint8_t bytes[2] = {200, 100};
    table.product[index_of(DType::k_uint8)].merge(&bytes[0], &bytes[1]);
    EXPECT_EQ(bytes[0], 44);
    bool flags[2] = {true, true};
    table.product[index_of(DType::k_bool)].merge(&flags[0], &flags[1]);
    EXPECT_TRUE(flags[0]);
  });
}

}  // namespace
}  // namespace penstock::kernel
