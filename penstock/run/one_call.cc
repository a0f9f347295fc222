// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/one_call.h"

#include <optional>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/kernel/table.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/span.h"
#include "penstock/memory/buffer.h"
#include "penstock/memory/governor.h"
#include "penstock/memory/pool.h"
#include "penstock/run/calculation.h"
#include "penstock/run/claim.h"
#include "penstock/run/fold.h"
#include "penstock/run/packed.h"
#include "penstock/run/tile.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kMostBytes = 1 << 20;  // read and written, of a call that Ctrl-C waits for
constexpr std::int64_t kMostState = 4096;     // bytes of a reduction's state

/// Elements side by side.
struct Run {
  graph::NodeRef kept;
  const std::byte* data = nullptr;
  std::int64_t size = 0;  // bytes of an element
};

class Call {
 public:
  /// Whether one call computes the node. The caller holds graph_mutex().
  bool read(const graph::Node& node) {
    if (const auto* elementwise = node.as<graph::Elementwise>()) {
      op_ = elementwise->op;
      dtype_ = elementwise->compute;
      written_ = size_of(node.dtype);
    } else if (const auto* reduce = node.as<graph::Reduce>(); reduce != nullptr && node.size() == 1) {
      reduction_ = reduce->reduction;
      dtype_ = node.inputs[0]->dtype;
    } else {
      return false;
    }
    const Dims& shape = reduction_ ? node.inputs[0]->shape : node.shape;
    n_ = count(shape);
    if (n_ == 0) return false;
    for (const graph::NodeRef& input : node.inputs) {
      if (!add(input, shape)) return false;
    }
    return true;
  }

  /// More than so many plain operations?
  bool exceeds(std::int64_t most) const { return n_ > most / operations_of(cost(), read_); }

  /// Whether Ctrl-C may wait for it, and no second thread would help.
  bool is_brief() const {
    const std::int64_t bytes = n_ * (read_ + written_);
    const OpClass what = reduces() ? OpClass::kReduction : cost() > 1 ? OpClass::kMaths : OpClass::kArithmetic;
    return bytes <= kMostBytes && workers_for(bytes, thread::count(), what) == 1;
  }

  bool reduces() const { return reduction_.has_value(); }
  std::int64_t bytes_read() const { return n_ * read_; }

  /// Whether a result at `out`, element after element, destroys nothing that is still to be read.
  bool may_write(const std::byte* out) const {
    for (std::size_t k = 0; k < count_; ++k) {
      const Run& run = runs_[k];
      const bool apart = out + n_ * written_ <= run.data || run.data + n_ * run.size <= out;
      if (!apart && (out != run.data || written_ != run.size)) return false;
    }
    return true;
  }

  void compute(std::byte* out) const {
    const kernel::Table& table = kernel::table();
    if (reduces()) return fold(table, out);
    const void* inputs[kMaxArity] = {};
    for (std::size_t k = 0; k < count_; ++k) inputs[k] = runs_[k].data;
    table.elementwise[index_of(op_)][index_of(dtype_)](inputs, out, n_);
  }

 private:
  bool add(const graph::NodeRef& input, const Dims& shape) {
    // Of several elements an operand that nobody else leads to may be written over.
    if (n_ > 1 && input.use_count() == 1) return false;
    Run& run = runs_[count_++];
    run.kept = input;
    run.size = size_of(input->dtype);
    read_ += run.size;
    if (const auto* constant = input->as<graph::Constant>()) {
      run.data = constant->value.bytes;
      return n_ == 1;
    }
    const graph::InMemory* in = input->in_memory();
    if (in == nullptr || input->shape != shape || in->memory->rewritten != 0) return false;
    run.data = in->memory->data() + in->layout.offset;
    return is_contiguous(in->layout, run.size) && is_aligned(reinterpret_cast<std::uintptr_t>(run.data), run.size);
  }

  std::int64_t cost() const { return reduces() ? 1 : cost_of(op_, dtype_); }

  /// The tree of run/fold.h over one run.
  void fold(const kernel::Table& table, std::byte* out) const {
    const CoreShape shape = core_of_run(*reduction_, dtype_, n_, table);
    alignas(64) std::byte storage[kMostState];
    PENSTOCK_CHECK(shape.bytes() <= kMostState);
    Core core(shape, storage);
    core.fold(runs_[0].data, n_ * shape.channels);
    core.close_into(out);
  }

  Op op_{};
  std::optional<Reduction> reduction_;
  DType dtype_ = DType::k_float32;  // that is computed with
  Run runs_[kMaxArity];
  std::size_t count_ = 0;
  std::int64_t n_ = 0;
  std::int64_t read_ = 0;     // bytes of an element of all operands
  std::int64_t written_ = 0;  // of the result's elements
};

}  // namespace

bool has_room_beside_states(const graph::Node& node) {
  constexpr std::int64_t kStates = 16 << 20;
  return memory::pool_capacity(node.bytes()) + kStates <= memory::Governor::instance().available();
}

void count_one_tile(std::int64_t borrowed, std::int64_t packed) {
  measure::add(measure::Counter::k_evaluations, 1);
  measure::add(measure::Counter::k_passes, 1);
  measure::add(measure::Counter::k_tiles, 1);
  measure::add(measure::Counter::k_bytes_borrowed, borrowed);
  measure::add(measure::Counter::k_bytes_packed, packed);
}

OneCall evaluate_in_one_call(const Request& request, std::int64_t most, measure::Span& planning) {
  const graph::NodeRef& node = request.node;
  const Destination& to = request.destination;
  const bool to_node = to.kind == Destination::Kind::kNode;
  Call call;
  Claims claims;
  {
    const std::lock_guard lock(graph::graph_mutex());
    if (is_claimed(*node) || !call.read(*node)) return OneCall::kOther;
    if (call.exceeds(most)) return OneCall::kTooMuch;
    if (!call.is_brief() || (to_node && !has_room_beside_states(*node))) return OneCall::kOther;
    if (to_node) claims.add(node);
  }
  std::byte* out = to_node ? nullptr : to.memory->data() + to.layout.offset;
  const std::int64_t size = size_of(node->dtype);
  if (!to_node && (!is_contiguous(to.layout, size) || !is_aligned(reinterpret_cast<std::uintptr_t>(out), size) ||
                   !call.may_write(out)))
    return OneCall::kOther;
  planning.end();
  std::shared_ptr<memory::Memory> result;
  if (to_node) {
    result = memory::share(memory::Buffer::allocate(node->bytes(), "the result"));
    out = result->data();
  }
  {
    const measure::Span computing(measure::Step::k_compute);
    call.compute(out);
  }
  count_one_tile(call.bytes_read(), 0);
  if (!to_node) return OneCall::kDone;
  std::vector<graph::NodeRef> dropped;  // destroyed after the lock is gone
  const std::lock_guard lock(graph::graph_mutex());
  publish(*node, {std::move(result), contiguous(node->shape, size)}, dropped);
  return OneCall::kDone;
}

}  // namespace penstock::run
