// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/at_once.h"

#include <optional>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/kernel/table.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/dot.h"
#include "penstock/run/fold.h"
#include "penstock/run/gemm.h"
#include "penstock/run/small.h"
#include "penstock/run/tile.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostState = 4096;  // bytes: two fields of 8 bytes in each of 64 lanes, and some nodes

/// Whether so much of an operand is read within some microseconds, and no second thread would help.
bool is_brief(std::int64_t bytes, std::int64_t operands, OpClass what) {
  return bytes <= kMostReducedAtOnce && workers_for(bytes * operands, thread::count(), what) == 1;
}

/// Whether the product of matrices takes some tens of microseconds on one thread, and is none with a vector, which adds
/// in another order.
bool is_brief(const Extents& each, std::int64_t size) {
  const std::int64_t widest = kMostReducedAtOnce / size;
  if (each.m < 2 || each.n < 2 || each.k < 1) return false;
  if (each.m > widest / each.n || each.m > widest / each.k || each.n > widest / each.k) return false;
  return each.m * each.n <= kMostMultipliedAtOnce / size / each.k;
}

}  // namespace

graph::NodeRef elementwise_at_once(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> operands) {
  const Dims none;
  Dims wider;
  const Dims* widest = &none;
  for (const SmallOperand& each : operands) {
    if (each.node == nullptr || each.node->shape == *widest) continue;
    if (widest == &none) {
      widest = &each.node->shape;
    } else {
      wider = broadcast(*widest, each.node->shape);
      widest = &wider;
    }
  }
  const Dims& shape = *widest;
  const std::int64_t n = count(shape);
  if (!is_small(n, types.compute) || !is_small(n, types.result)) return nullptr;
  SmallSource sources[kMaxArity];
  for (std::size_t k = 0; k < operands.size(); ++k) {
    SmallSource& source = sources[k];
    source.wanted = types.operand(op, k);
    if (operands[k].node != nullptr) {
      if (!find_elements(*operands[k].node, shape, source)) return nullptr;
    } else {
      source.data = operands[k].value.bytes;
      source.dtype = operands[k].value.dtype;
      source.single = true;
    }
  }
  const kernel::Table& table = kernel::table();
  const std::int64_t size = size_of(types.result);
  memory::Buffer result = room_for(n * size);
  const std::span<const SmallSource> given(sources, operands.size());
  count_bytes(given, n);
  const auto compute = table.elementwise[index_of(op)][index_of(types.compute)];
  for_blocks(given, n, table, [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
    compute(inputs, result.data() + first * size, some);
  });
  return result_of(std::move(result), shape, types.result);
}

graph::Scalar elementwise_of_values(Op op, const ElementwiseTypes& types, std::span<const SmallOperand> values) {
  const kernel::Table& table = kernel::table();
  graph::Scalar converted[kMaxArity];
  const void* inputs[kMaxArity] = {};
  for (std::size_t k = 0; k < values.size(); ++k) {
    const graph::Scalar& value = values[k].value;
    const DType wanted = types.operand(op, k);
    if (value.dtype != wanted) converted[k] = cast_of_value(value, wanted);
    inputs[k] = value.dtype == wanted ? value.bytes : converted[k].bytes;
  }
  graph::Scalar result;
  result.dtype = types.result;
  table.elementwise[index_of(op)][index_of(types.compute)](inputs, result.bytes, 1);
  measure::add(measure::Counter::k_evaluations, 1);
  return result;
}

graph::NodeRef cast_at_once(const graph::Node& in, DType dtype) {
  const std::int64_t n = in.size();
  SmallSource source;
  source.wanted = in.dtype;
  if (!is_small(n, in.dtype) || !is_small(n, dtype) || !find_elements(in, in.shape, source)) return nullptr;
  const kernel::Table& table = kernel::table();
  const std::int64_t size = size_of(dtype);
  memory::Buffer result = room_for(n * size);
  count_bytes({&source, 1}, n);
  const auto cast = table.cast[index_of(in.dtype)][index_of(dtype)];
  for_blocks({&source, 1}, n, table, [&](const void* const* inputs, std::int64_t first, std::int64_t some) {
    cast(inputs[0], result.data() + first * size, some);
  });
  return result_of(std::move(result), in.shape, dtype);
}

graph::Scalar cast_of_value(const graph::Scalar& value, DType dtype) {
  graph::Scalar result;
  result.dtype = dtype;
  kernel::table().cast[index_of(value.dtype)][index_of(dtype)](value.bytes, result.bytes, 1);
  return result;
}

graph::NodeRef reduce_at_once(Reduction reduction, const graph::Node& in, const Dims& shape) {
  const std::int64_t n = in.size();
  if (n == 0 || count(shape) != 1) return nullptr;
  SmallSource source;
  source.wanted = accumulator_of(reduction, in.dtype);
  const bool small = is_small(n, source.wanted) && is_small(n, in.dtype);
  if (!small && (source.wanted != in.dtype || !is_brief(n * size_of(in.dtype), 1, OpClass::kReduction))) return nullptr;
  if (!find_elements(in, in.shape, source) || !(small || source.borrows(n))) return nullptr;
  // What takes longer than to look at the clock is measured.
  std::optional<measure::Span> evaluation;
  if (!small) evaluation.emplace(measure::Step::k_evaluate);
  const kernel::Table& table = kernel::table();
  const DType dtype = reduced_dtype(reduction, in.dtype);
  memory::Buffer result = room_for(size_of(dtype));
  count_bytes({&source, 1}, n);
  // The tree of run/fold.h over one run of elements.
  const CoreShape core_shape = core_of_run(reduction, source.wanted, n, table);
  alignas(64) std::byte storage[kMostState];
  PENSTOCK_CHECK(core_shape.bytes() <= kMostState);
  Core core(core_shape, storage);
  for_blocks({&source, 1}, n, table, [&](const void* const* inputs, std::int64_t, std::int64_t some) {
    core.fold(inputs[0], some * core_shape.channels);
  });
  core.close_into(result.data());
  return result_of(std::move(result), shape, dtype);
}

graph::NodeRef dot_at_once(const graph::Node& x, const graph::Node& y) {
  const std::int64_t n = x.size();
  const std::int64_t size = size_of(x.dtype);
  if (n == 0 || !is_brief(n * size, 2, OpClass::kArithmetic)) return nullptr;
  SmallSource sources[2];
  const graph::Node* operands[2] = {&x, &y};
  for (std::size_t k = 0; k < 2; ++k) {
    sources[k].wanted = x.dtype;
    if (!find_elements(*operands[k], x.shape, sources[k]) || !sources[k].borrows(n)) return nullptr;
  }
  std::optional<measure::Span> evaluation;
  if (!is_small(n, x.dtype)) evaluation.emplace(measure::Step::k_evaluate);
  memory::Buffer result = room_for(size);
  count_bytes(sources, n);
  dot(x.dtype, {sources[0].data, size}, {sources[1].data, size}, n, result.data(), false, {});
  return result_of(std::move(result), {}, x.dtype);
}

graph::NodeRef matmul_at_once(const graph::Node& a, const graph::Node& b) {
  const Extents each{a.shape[0], b.shape[1], a.shape[1]};
  if (!is_brief(each, size_of(a.dtype))) return nullptr;
  Matrix matrices[2];
  const graph::Node* operands[2] = {&a, &b};
  for (std::size_t k = 0; k < 2; ++k) {
    const graph::InMemory* in = operands[k]->in_memory();
    if (in == nullptr) return nullptr;
    matrices[k] = {in->memory->data() + in->layout.offset, in->layout.strides[0], in->layout.strides[1]};
  }
  const std::int64_t row = each.n * size_of(a.dtype);
  const std::int64_t room = memory::pool_capacity(each.m * row) + gemm_bytes(a.dtype, each, 1);
  if (room > memory::Governor::instance().available()) return nullptr;
  const measure::Span evaluation(measure::Step::k_evaluate);
  memory::Buffer result = room_for(each.m * row);
  gemm(a.dtype, each, matrices[0], matrices[1], result.data(), row, false, {});
  return result_of(std::move(result), {each.m, each.n}, a.dtype);
}

}  // namespace penstock::run
