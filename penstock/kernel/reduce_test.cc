// SPDX-License-Identifier: Apache-2.0
// Every reducer under every target: folds, merges and collapses bit for bit against plain loops over slots.
#include <cmath>
#include <memory>

#include "gtest/gtest.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/sweep.h"
#include "penstock/op/infer.h"

namespace penstock::kernel {
namespace {

/// One slot by plain code. Not all members serve every reduction.
template <class T>
struct Slot {
  T value{};
  T m2{};
  std::int64_t index = -1;
  std::int64_t seen = 0;
};

template <class T>
bool less_than(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a == 0 && b == 0) return std::signbit(a) && !std::signbit(b);
  }
  return a < b;
}

template <class T>
struct Model {
  Reduction reduction;

  Slot<T> neutral() const {
    using Limits = std::numeric_limits<T>;
    Slot<T> slot;
    switch (reduction) {
      case Reduction::k_sum:
        if constexpr (std::is_floating_point_v<T>) slot.value = T(-0.0);
        break;
      case Reduction::k_prod:
        slot.value = T(1);
        break;
      case Reduction::k_min:
        slot.value = Limits::has_infinity ? Limits::infinity() : Limits::max();
        break;
      case Reduction::k_max:
        slot.value = Limits::has_infinity ? T(-Limits::infinity()) : Limits::lowest();
        break;
      default:
        break;
    }
    return slot;
  }

  static T times(T a, T x) {
    if constexpr (std::is_arithmetic_v<T>) {
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(x));
      return static_cast<T>(a * x);
    } else {
      if (same(a, T(1))) return x;
      if (same(x, T(1))) return a;
      return {a.real() * x.real() - a.imag() * x.imag(), a.real() * x.imag() + a.imag() * x.real()};
    }
  }
  static T plus(T a, T x) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(x));
    return static_cast<T>(a + x);
  }

  void fold(Slot<T>& slot, T x, std::int64_t index) const { merge(slot, Slot<T>{x, T{}, index, 1}); }

  /// b's elements come after slot's.
  void merge(Slot<T>& slot, const Slot<T>& b) const {
    if constexpr (!std::is_arithmetic_v<T>) {
      slot.value = times(slot.value, b.value);
    } else {
      const bool slot_nan = slot.value != slot.value;
      const bool b_nan = b.value != b.value;
      switch (reduction) {
        case Reduction::k_sum:
          slot.value = plus(slot.value, b.value);
          break;
        case Reduction::k_prod:
          slot.value = times(slot.value, b.value);
          break;
        case Reduction::k_min:
          if (!slot_nan && (b_nan || less_than(b.value, slot.value))) slot.value = b.value;
          break;
        case Reduction::k_max:
          if (!slot_nan && (b_nan || less_than(slot.value, b.value))) slot.value = b.value;
          break;
        case Reduction::k_argmin:
        case Reduction::k_argmax: {
          const bool wins = reduction == Reduction::k_argmin ? b.value < slot.value : slot.value < b.value;
          const bool tie = (slot_nan && b_nan) || b.value == slot.value;
          if (b.index < 0) break;
          if (slot.index < 0 || (b_nan && !slot_nan) || wins || (tie && b.index < slot.index)) slot = b;
          break;
        }
        case Reduction::k_moments:
          merge_moments(slot, b);
          break;
      }
    }
    slot.seen += b.seen;
  }

  static void merge_moments(Slot<T>& slot, const Slot<T>& b) {
    if constexpr (std::is_floating_point_v<T>) {
      const double na = static_cast<double>(slot.seen);
      const double nb = static_cast<double>(b.seen);
      if (nb == 1 && b.m2 == 0 && b.index >= 0) {  // one element: Welford
        const T delta = b.value - slot.value;
        slot.value += delta * static_cast<T>(1 / (na + 1));
        slot.m2 += delta * (b.value - slot.value);
      } else if (nb != 0 && na == 0) {
        slot.value = b.value;
        slot.m2 = b.m2;
      } else if (nb != 0) {
        const T delta = b.value - slot.value;
        slot.value += delta * static_cast<T>(nb / (na + nb));
        slot.m2 += b.m2 + delta * delta * static_cast<T>(na * (nb / (na + nb)));
      }
    }
  }
};

/// A reducer's state beside the model's.
template <class T>
class Pairing {
 public:
  Pairing(const Table& table, Reduction r, std::int64_t width)
      : reducer_(table.reduce[index_of(r)][index_of(kDTypeOf<T>)]),
        model_{r},
        width_(width),
        state_(width, reducer_.fields * reducer_.field_bytes),
        slots_(static_cast<std::size_t>(width)) {
    reducer_.clear(state_.data(), width, 0, width);
    for (Slot<T>& each : slots_) each = model_.neutral();
  }

  void fold(const T* x, std::int64_t first, std::int64_t n, std::int64_t channels, std::int64_t seen) {
    reducer_.fold(state_.data(), width_, first, x, n, position_, channels, seen);
    for (std::int64_t i = 0; i < n; ++i) model_.fold(slot(first + i), x[i], (position_ + i) / channels);
    position_ += n;
  }
  /// Groups begin `apart` elements after each other; 0: one right after the other.
  void fold_groups(const T* x, std::int64_t groups, std::int64_t channels, std::int64_t seen, std::int64_t apart = 0) {
    const std::int64_t stride = apart == 0 ? width_ : apart;
    reducer_.fold_groups(state_.data(), width_, x, stride, groups, position_, channels, seen);
    for (std::int64_t g = 0; g < groups; ++g) {
      for (std::int64_t s = 0; s < width_; ++s)
        model_.fold(slot(s), x[g * stride + s], (position_ + g * width_ + s) / channels);
    }
    position_ += groups * width_;
  }
  /// This state's slots [to, to + n) take over `other`'s [from, from + n).
  void merge(const Pairing& other, std::int64_t to, std::int64_t from, std::int64_t n) {
    const double na = static_cast<double>(slot(to).seen);
    const double nb = static_cast<double>(other.slots_[static_cast<std::size_t>(from)].seen);
    reducer_.merge(state_.data(), width_, to, other.state_.data(), other.width_, from, n, na, nb);
    for (std::int64_t i = 0; i < n; ++i) model_.merge(slot(to + i), other.slots_[static_cast<std::size_t>(from + i)]);
  }
  void collapse(std::int64_t lanes, std::int64_t channels) {
    reducer_.collapse(state_.data(), lanes, channels, static_cast<double>(slot(0).seen));
    for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
      for (std::int64_t i = 0; i < half * channels; ++i) {
        Slot<T> later = slot(i + half * channels);
        later.index = model_.reduction == Reduction::k_moments ? -1 : later.index;  // no single element
        model_.merge(slot(i), later);
      }
    }
  }
  void start_at(std::int64_t position) { position_ = position; }

  /// The first slot of [0, n) that differs, as text.
  std::string difference(std::int64_t n) const {
    if (!state_.intact()) return "writes outside its state";
    for (std::int64_t s = 0; s < n; ++s) {
      const Slot<T>& expected = slots_[static_cast<std::size_t>(s)];
      const T value = field<T>(0, s);
      if (model_.reduction == Reduction::k_argmin || model_.reduction == Reduction::k_argmax) {
        const auto index = field<std::int64_t>(1, s);
        if (index != expected.index) return cat("slot ", s, ": index ", index, ", expected ", expected.index);
        if (index < 0) continue;
      }
      if (!same(value, expected.value))
        return cat("slot ", s, ": ", text_of(value), ", expected ", text_of(expected.value));
      if (model_.reduction == Reduction::k_moments && !same(field<T>(1, s), expected.m2)) {
        return cat("slot ", s, ": M2 ", text_of(field<T>(1, s)), ", expected ", text_of(expected.m2));
      }
    }
    return "";
  }

 private:
  Slot<T>& slot(std::int64_t s) { return slots_[static_cast<std::size_t>(s)]; }
  template <class F>
  F field(std::int64_t f, std::int64_t s) const {
    F value;
    std::memcpy(&value, static_cast<const char*>(state_.data()) + (f * width_ + s) * reducer_.field_bytes,
                sizeof value);
    return value;
  }

  const Reducer& reducer_;
  Model<T> model_;
  std::int64_t width_;
  std::int64_t position_ = 0;
  Operand state_;
  std::vector<Slot<T>> slots_;
};

/// Values with NaN and infinities (`wild`) or tame ones, which keep moments and sums telling.
template <class T>
std::vector<T> elements(std::int64_t n, bool wild, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  std::unique_ptr<T[]> values = std::make_unique<T[]>(static_cast<std::size_t>(n) + 1);
  fill_values(values.get(), n, seed);
  std::mt19937_64 random(seed + 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (wild) {
      x[i] = values[i];
    } else if constexpr (std::is_floating_point_v<T>) {
      x[i] = static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-50 - 3);
    } else if constexpr (std::is_arithmetic_v<T>) {
      x[i] = static_cast<T>(random() % 5);
    } else {
      x[i] = T(static_cast<typename T::value_type>(random() % 5) - 2, 1);
    }
  }
  return x;
}

template <class T>
void check(Reduction r, std::int64_t width, std::int64_t groups, std::int64_t channels, bool wild) {
  if constexpr (std::is_same_v<T, bool>) {
    check<std::uint8_t>(r, width, groups, channels, wild);
  } else {
    const std::vector<T> values = elements<T>(width * (groups + 2), wild, static_cast<std::uint64_t>(width + groups));
    // Now from the start of a cache line, now not.
    const auto n = static_cast<std::int64_t>(values.size());
    Operand place(n, sizeof(T), groups % 2 == 0 ? 3 : 0);
    T* x = place.template as<T>();
    std::copy(values.begin(), values.end(), x);
    for_targets([&](const Table& table) {
      const std::string what = cat(row(r).name, " of ", name_of(kDTypeOf<T>), ", width ", width, ", groups ", groups,
                                   ", channels ", channels, wild ? ", wild" : "", " under ", table.target);
      Pairing<T> a(table, r, width);
      EXPECT_EQ(a.difference(width), "") << what << ", cleared";
      a.fold_groups(x, groups / 2, channels, 0);
      a.fold_groups(x + groups / 2 * width, groups - groups / 2, channels, groups / 2);
      EXPECT_EQ(a.difference(width), "") << what << ", groups";
      Pairing<T> c(table, r, width);
      c.fold_groups(x, groups / 2 + 1, channels, 0, 2 * width - 1);
      EXPECT_EQ(c.difference(width), "") << what << ", groups apart";
      const std::int64_t some = width - width / 3;
      Pairing<T> b(table, r, width);
      b.start_at(groups * width);
      b.fold(x + groups * width, width - some, some, channels, 0);
      EXPECT_EQ(b.difference(width), "") << what << ", fold";
      a.merge(b, width - some, width - some, some);
      EXPECT_EQ(a.difference(width), "") << what << ", merge";
    });
  }
}

/// Zeros of both signs and nothing else: few of the one that a minimum or a maximum has to find.
template <class T>
void check_zeros(Reduction r, std::int64_t width, std::int64_t groups) {
  std::mt19937_64 random(static_cast<std::uint64_t>(width));
  for (const T usual : {T(0.0), T(-0.0)}) {
    std::vector<T> x(static_cast<std::size_t>(width * groups));
    for (T& each : x) each = random() % 40 == 0 ? -usual : usual;
    for_targets([&](const Table& table) {
      Pairing<T> a(table, r, width);
      a.fold_groups(x.data(), groups, 1, 0);
      EXPECT_EQ(a.difference(width), "") << row(r).name << " of zeros, mostly " << usual << ", width " << width
                                         << ", groups " << groups << " under " << table.target;
    });
  }
}

/// f(reduction, accumulator) for every reducer of the table.
template <class F>
void for_reducers(const F& f) {
  for (int r = 0; r < kReductionCount; ++r) {
    for (int t = 0; t < kDTypeCount; ++t) {
      if (table().reduce[r][t].fold == nullptr) continue;
      visit(static_cast<DType>(t), [&]<class T>() {
        if constexpr (!std::is_same_v<T, Half>) f.template operator()<T>(static_cast<Reduction>(r));
      });
    }
  }
}

/// Every group beats the one before: more wins than a byte counts.
template <class T>
void check_runs(Reduction r) {
  constexpr std::int64_t kWidth = 70;
  constexpr std::int64_t kGroups = 250;
  for (const bool rising : {false, true}) {
    std::vector<T> x;
    for (std::int64_t i = 0; i < kWidth * kGroups; ++i) {
      const std::int64_t step = rising ? i / kWidth : kGroups - i / kWidth;
      x.push_back(static_cast<T>(std::is_signed_v<T> ? step - 125 : step));
    }
    for_targets([&](const Table& table) {
      Pairing<T> a(table, r, kWidth);
      a.fold_groups(x.data(), kGroups, 1, 0);
      EXPECT_EQ(a.difference(kWidth), "") << row(r).name << " of " << name_of(kDTypeOf<T>) << " under " << table.target;
    });
  }
}

TEST(Reduce, LongRunsOfWins) {
  for_reducers([]<class T>(Reduction r) {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      if (r == Reduction::k_argmin || r == Reduction::k_argmax) check_runs<T>(r);
    }
  });
}

TEST(Reduce, FoldsAndMergesGiveThePlainLoop) {
  for_reducers([]<class T>(Reduction r) {
    for (const std::int64_t width : {64, 32, 1, 3, 61, 70, 192}) {
      for (const std::int64_t groups : {0, 1, 2, 16, 300}) {
        for (const std::int64_t channels : {1, 3}) {
          check<T>(r, width, groups, channels, false);
          check<T>(r, width, groups, channels, true);
          if constexpr (std::is_floating_point_v<T>) check_zeros<T>(r, width, groups);
        }
      }
    }
  });
}

TEST(Reduce, CollapseMergesByHalves) {
  for_reducers([]<class T>(Reduction r) {
    if constexpr (!std::is_same_v<T, bool>) {
      for (const std::int64_t channels : {1, 3}) {
        for (const std::int64_t lanes : {1, 2, 32, 64}) {
          const std::vector<T> x = elements<T>(lanes * channels * 5, lanes == 64, 9);
          for_targets([&](const Table& table) {
            Pairing<T> a(table, r, lanes * channels);
            a.fold_groups(x.data(), 5, channels, 0);
            a.collapse(lanes, channels);
            EXPECT_EQ(a.difference(channels), "") << row(r).name << " of " << name_of(kDTypeOf<T>) << ", " << lanes
                                                  << " lanes, " << channels << " channels under " << table.target;
          });
        }
      }
    }
  });
}

TEST(Reduce, EveryAccumulatorHasItsReducer) {
  for_targets([](const Table& table) {
    for (int r = 0; r < kReductionCount; ++r) {
      for (int t = 0; t < kDTypeCount; ++t) {
        const Reduction reduction = static_cast<Reduction>(r);
        const DType dtype = static_cast<DType>(t);
        bool wanted = dtype != DType::k_float16;
        try {
          wanted = wanted && accumulator_of(reduction, dtype) == dtype;
        } catch (const DTypeError&) {
          wanted = false;
        }
        // A complex sum is two real ones.
        if (reduction == Reduction::k_sum && kind_of(dtype) == Kind::kComplex) wanted = false;
        EXPECT_EQ(table.reduce[r][t].fold != nullptr, wanted)
            << row(reduction).name << " of " << name_of(dtype) << " under " << table.target;
      }
    }
  });
}

// The neutral element disappears, whatever the element.
TEST(Reduce, NeutralElementsLeaveEverySpecialValue) {
  for_reducers([]<class T>(Reduction r) {
    if constexpr (!std::is_same_v<T, bool>) {
      if (r == Reduction::k_moments) return;
      for_targets([&](const Table& table) {
        for (const T each : special_values<T>()) {
          const Reducer& reducer = table.reduce[index_of(r)][index_of(kDTypeOf<T>)];
          Operand state(2, reducer.fields * reducer.field_bytes);
          reducer.clear(state.data(), 2, 0, 2);
          reducer.fold(state.data(), 2, 0, &each, 1, 0, 1, 0);
          reducer.merge(state.data(), 2, 0, state.data(), 2, 1, 1, 1, 0);
          T value;
          std::memcpy(&value, state.data(), sizeof value);
          EXPECT_TRUE(same(value, each)) << row(r).name << " of " << text_of(each) << " alone gives " << text_of(value);
        }
      });
    }
  });
}

// A subtree in one call is its leaves, collapsed and merged pair by pair.
template <class T>
void check_tree(const Table& table, Reduction r, const T* x, std::int64_t leaves) {
  constexpr std::int64_t kLanes = lanes_of(kDTypeOf<T>);
  const Reducer& reducer = table.reduce[index_of(r)][index_of(kDTypeOf<T>)];
  if (reducer.fold_tree == nullptr) return;
  std::vector<T> nodes;
  for (std::int64_t leaf = 0; leaf < leaves; ++leaf) {
    Operand state(kLanes, reducer.field_bytes);
    reducer.clear(state.data(), kLanes, 0, kLanes);
    reducer.fold_groups(state.data(), kLanes, x + leaf * kLanes * kLeafGroups, kLanes, kLeafGroups, 0, 1, 0);
    reducer.collapse(state.data(), kLanes, 1, kLeafGroups);
    nodes.push_back(state.as<T>()[0]);
  }
  for (; nodes.size() > 1; nodes.resize(nodes.size() / 2)) {
    for (std::size_t i = 0; i < nodes.size() / 2; ++i) {
      nodes[i] = nodes[2 * i];
      reducer.merge(nodes.data(), 1, static_cast<std::int64_t>(i), nodes.data(), 1,
                    static_cast<std::int64_t>(2 * i + 1), 1, 1, 1);
    }
  }
  T node;
  reducer.fold_tree(x, leaves, &node);
  EXPECT_TRUE(same(node, nodes[0])) << row(r).name << " of " << leaves << " leaves of " << name_of(kDTypeOf<T>)
                                    << " under " << table.target << ": " << text_of(node) << ", not "
                                    << text_of(nodes[0]);
}

// From every place in a line of the cache on, between elements that would change the result.
template <class T>
void check_trees(Reduction r) {
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(T));
  constexpr std::int64_t kLeaf = lanes_of(kDTypeOf<T>) * kLeafGroups;
  for (std::int64_t leaves = 1; leaves <= kMostLeaves; leaves *= 4) {
    const std::vector<T> values = elements<T>(leaves * kLeaf, leaves == 4, 17);
    for (std::int64_t before = 0; before < kLine; ++before) {
      Operand room(leaves * kLeaf + 2 * kLine, sizeof(T));
      T* x = room.as<T>() + before;
      std::fill(room.as<T>(), x, T{3});
      std::fill(x + leaves * kLeaf, x + leaves * kLeaf + kLine, T{3});
      std::copy(values.begin(), values.end(), x);
      for_targets([&](const Table& table) { check_tree(table, r, x, leaves); });
      std::fill(x, x + leaves * kLeaf, -T{0});
      for_targets([&](const Table& table) { check_tree(table, r, x, leaves); });
    }
  }
}

TEST(Reduce, FoldTreeGivesTheBitsOfItsLeaves) {
  for_reducers([]<class T>(Reduction r) {
    if constexpr (!std::is_same_v<T, bool>) check_trees<T>(r);
  });
}

// Accuracy, once: mean and M2 of a million numbers far from 0.
TEST(Reduce, MomentsKeepTheirPlaces) {
  constexpr std::int64_t kGroups = 2000;
  std::vector<double> x(32 * kGroups);
  long double mean = 0;
  std::mt19937_64 random(1);
  for (double& each : x) mean += each = 1e6 + static_cast<double>(random() >> 11) * 0x1p-53;
  mean /= static_cast<long double>(x.size());
  long double m2 = 0;
  for (const double each : x) m2 += (each - mean) * (each - mean);
  for_targets([&](const Table& table) {
    const Reducer& reducer = table.reduce[index_of(Reduction::k_moments)][index_of(DType::k_float64)];
    std::vector<double> state(64);
    reducer.clear(state.data(), 32, 0, 32);
    reducer.fold_groups(state.data(), 32, x.data(), 32, kGroups, 0, 1, 0);
    reducer.collapse(state.data(), 32, 1, kGroups);
    EXPECT_NEAR(state[0], static_cast<double>(mean), 1e-9);
    EXPECT_NEAR(state[32] / static_cast<double>(m2), 1, 1e-9);
  });
}

}  // namespace
}  // namespace penstock::kernel
