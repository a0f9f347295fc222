// SPDX-License-Identifier: Apache-2.0
// Every entry of the elementwise table under every target.
#include <array>

#include "gtest/gtest.h"
#include "penstock/kernel/element.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/kernel/sweep.h"
#include "penstock/op/infer.h"

namespace penstock::kernel {
namespace {

/// The operands of one call, with fixed values for (op, t, n).
struct Case {
  Op op;
  DType t;
  std::int64_t n;
  std::vector<Operand> operands;
  std::array<const void*, kMaxArity> in{};

  Case(Op which, DType type, std::int64_t count, std::int64_t skew) : op(which), t(type), n(count) {
    for (int k = 0; k < row(op).arity; ++k) {
      const DType each = op == Op::k_where && k == 0 ? DType::k_bool : t;
      operands.emplace_back(n, size_of(each), skew);
      fill_values(each, operands.back().data(), n,
                  std::uint64_t{97} * static_cast<unsigned>(index_of(op)) + static_cast<unsigned>(7 * index_of(t) + k));
    }
    for (std::size_t k = 0; k < operands.size(); ++k) in[k] = operands[k].data();
  }
  std::string name(const Table& table) const {
    return cat(row(op).name, " of ", n, " ", name_of(t), " under ", table.target);
  }
};

/// f(op, dtype) for every entry that the table has under all targets.
template <class F>
void for_entries(const F& f) {
  for (int op = 0; op < kOpCount; ++op) {
    for (int t = 0; t < kDTypeCount; ++t) {
      if (table().elementwise[op][t] != nullptr) f(static_cast<Op>(op), static_cast<DType>(t));
    }
  }
}

/// The entry's loops: with ordinary stores, and with streaming ones where it has them.
std::vector<Elementwise> loops_of(const Table& table, Op op, DType t) {
  std::vector<Elementwise> loops{table.elementwise[index_of(op)][index_of(t)]};
  if (const Elementwise streaming = table.streaming[index_of(op)][index_of(t)]) loops.push_back(streaming);
  return loops;
}

/// Sizes around a vector, and around two of the blocks that streaming loops write at once.
std::vector<std::int64_t> sizes_of(DType t, DType result) {
  std::vector<std::int64_t> sizes = sizes_for(size_of(t));
  for (const std::int64_t past : {-1, 0, 1}) sizes.push_back(2 * 256 / size_of(result) + past);
  return sizes;
}

TEST(Elementwise, EveryTableHasWhatInferenceAdmits) {
  for_targets([](const Table& table) {
    for (int i = 0; i < kOpCount; ++i) {
      for (int j = 0; j < kDTypeCount; ++j) {
        const Op op = static_cast<Op>(i);
        const DType t = static_cast<DType>(j);
        std::vector<DType> operands(static_cast<std::size_t>(row(op).arity), t);
        if (op == Op::k_where) operands[0] = DType::k_bool;
        bool admitted = t != DType::k_float16;
        try {
          admitted = admitted && infer_elementwise(op, operands).compute == t;
        } catch (const DTypeError&) {
          admitted = false;
        }
        EXPECT_EQ(table.elementwise[i][j] != nullptr, admitted)
            << row(op).name << " of " << name_of(t) << " under " << table.target;
      }
    }
  });
}

// Maths on a target without FMA may differ in the last place; simd/maths_test.cc holds it to its bound.
bool bits_may_differ(Op op, DType t, const Table& table) {
  return kind_of(t) == Kind::kFloat && is_vector_maths(op) && std::string_view(table.target) == "sse4";
}

TEST(Elementwise, SameBitsAsTheScalarTarget) {
  const Table& scalar = table_of(simd::Target::kScalar);
  for_entries([&](Op op, DType t) {
    const DType result = result_of(op, t);
    for (const std::int64_t n : sizes_of(t, result)) {
      for (const std::int64_t skew : {0, 1}) {
        const Case each(op, t, n, skew);
        Operand expected(n, size_of(result));
        scalar.elementwise[index_of(op)][index_of(t)](each.in.data(), expected.data(), n);
        for_targets([&](const Table& table) {
          for (const Elementwise loop : loops_of(table, op, t)) {
            Operand got(n, size_of(result), skew);
            loop(each.in.data(), got.data(), n);
            EXPECT_TRUE(got.intact()) << each.name(table) << " writes outside its result";
            if (bits_may_differ(op, t, table)) return;
            EXPECT_EQ(difference(result, got.data(), expected.data(), n), "") << each.name(table);
          }
        });
      }
    }
  });
}

TEST(Elementwise, InPlaceGivesTheSame) {
  for_entries([&](Op op, DType t) {
    const DType result = result_of(op, t);
    const std::int64_t n = 8 * (64 / size_of(t)) + 3;
    for (int k = 0; k < row(op).arity; ++k) {
      const DType each_type = op == Op::k_where && k == 0 ? DType::k_bool : t;
      if (size_of(each_type) != size_of(result)) continue;
      for_targets([&](const Table& table) {
        for (const Elementwise loop : loops_of(table, op, t)) {
          Case each(op, t, n, 0);
          Operand expected(n, size_of(result));
          loop(each.in.data(), expected.data(), n);
          void* out = each.operands[static_cast<std::size_t>(k)].data();
          loop(each.in.data(), out, n);
          EXPECT_EQ(difference(result, out, expected.data(), n), "") << each.name(table) << " into operand " << k;
        }
      });
    }
  });
}

// An element's result depends on the element alone: not on its place, and not on its neighbours.
TEST(Elementwise, ResultsDoNotDependOnPosition) {
  for_entries([&](Op op, DType t) {
    const DType result = result_of(op, t);
    const std::int64_t n = 4 * (64 / size_of(t)) + 3;
    for_targets([&](const Table& table) {
      const Case each(op, t, n, 0);
      Operand whole(n, size_of(result));
      const Elementwise kernel = table.elementwise[index_of(op)][index_of(t)];
      kernel(each.in.data(), whole.data(), n);
      for (std::int64_t i = 0; i < n; ++i) {
        std::array<const void*, kMaxArity> in{};
        for (int k = 0; k < row(op).arity; ++k) {
          const DType each_type = op == Op::k_where && k == 0 ? DType::k_bool : t;
          in[static_cast<std::size_t>(k)] =
              static_cast<const char*>(each.in[static_cast<std::size_t>(k)]) + i * size_of(each_type);
        }
        Operand alone(1, size_of(result));
        kernel(in.data(), alone.data(), 1);
        const void* among = static_cast<const char*>(whole.data()) + i * size_of(result);
        ASSERT_EQ(difference(result, alone.data(), among, 1), "") << each.name(table) << ", place " << i;
      }
    });
  });
}

}  // namespace
}  // namespace penstock::kernel
