// SPDX-License-Identifier: Apache-2.0
// Reductions. Work is cut by core, by block of columns and, where there are few of these, by aligned chunks of a core;
// the tree of run/fold.h makes the cut invisible in the result.

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "penstock/base/error.h"
#include "penstock/base/file.h"
#include "penstock/memory/fault_guard.h"
#include "penstock/memory/pool.h"
#include "penstock/run/fold.h"
#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

/// One reduction of the pipeline.
struct Output {
  CoreShape shape;         // of a full block
  std::int64_t parts = 1;  // values an element consists of: 2 for complex sums
  int field = 0;           // of the state that holds the result
  std::byte* to = nullptr;
  std::shared_ptr<store::ScratchFile> scratch;  // that `to` is a mapping of
};

/// Cores of all outputs over the same elements, in one piece of storage.
class CoreSet {
 public:
  CoreSet(const std::vector<Output>& outputs, std::int64_t width, std::int64_t start)
      : kept_(memory::Buffer::allocate(bytes(outputs), "state of a reduction")), storage_(kept_.data()) {
    reset(outputs, width, start);
  }
  /// In the arena's open scope.
  CoreSet(const std::vector<Output>& outputs, std::int64_t width, memory::Arena& arena)
      : storage_(static_cast<std::byte*>(
            arena.allocate(static_cast<std::size_t>(bytes(outputs)), static_cast<std::size_t>(memory::kAlignment)))),
        cores_(&arena) {
    cores_.reserve(outputs.size());
    reset(outputs, width, 0);
  }

  static std::int64_t bytes(const std::vector<Output>& outputs) {
    std::int64_t total = 0;
    for (const Output& output : outputs) total += output.shape.bytes();
    return total;
  }

  /// Fresh cores of `width` columns (or all channels) from element `start` on, in the same storage.
  void reset(const std::vector<Output>& outputs, std::int64_t width, std::int64_t start) {
    cores_.clear();
    std::byte* at = storage_;
    for (const Output& output : outputs) {
      CoreShape shape = output.shape;
      shape.channels = width * output.parts;
      cores_.emplace_back(shape, at, start);
      at += output.shape.bytes();
    }
  }

  std::pmr::vector<Core>& cores() { return cores_; }
  std::int64_t position() const { return cores_.front().position(); }
  void append(const CoreSet& next) {
    for (std::size_t k = 0; k < cores_.size(); ++k) cores_[k].append(next.cores_[k]);
  }
  void close() {
    for (Core& core : cores_) core.close();
  }

 private:
  memory::Buffer kept_;  // of what outlives a worker's turn
  std::byte* storage_;
  std::pmr::vector<Core> cores_;
};

/// Elements [begin, end) of the columns [column, column + width) of a core.
struct Item {
  std::int64_t core;
  std::int64_t column;
  std::int64_t width;
  std::int64_t begin;
  std::int64_t end;
};

/// The nodes of the cores that meet in one output's block.
struct Meeting {
  memory::Buffer storage;
  std::vector<NodeStack> stacks;
  std::int64_t cores = 0;
};

/// A core done in this feed, waiting for its turn in a meeting.
struct Finished {
  std::vector<std::vector<std::byte>> nodes;
  std::vector<double> elements;
  std::int64_t width = 0;
};

constexpr std::int64_t kLongTile = 4096;     // bytes: a whole leaf, which the kernels fold without a state
constexpr std::int64_t kMostColumns = 8192;  // of a block: whole pages of every row, a state that stays in L2
constexpr std::int64_t kMostLeaf = 1024;     // elements of a channel: a multiple of every leaf
constexpr std::int64_t kFewItems = 64;       // up to here cores are cut into chunks
constexpr std::int64_t kItemsAtOnce = 16 << 10;
constexpr std::int64_t kFinishedAtOnce = 1 << 20;  // bytes of cores that wait for their meeting
constexpr std::int64_t kChunksAtOnce = 256;        // bounds the memory of chunk states

class FoldRunner final : public Runner {
 public:
  FoldRunner(const Pipeline& pipeline, const std::vector<Target>& targets, const kernel::Table& table,
             const std::vector<std::byte*>& memory, bool by_lead)
      : pipeline_(pipeline),
        g_(pipeline.geometry),
        schedule_(pipeline.program, group_of(pipeline), kLongTile / pipeline.program.widest()),
        by_lead_(by_lead),
        width_(g_.columns ? block_width(g_.channels) : g_.channels),
        blocks_((g_.channels + width_ - 1) / width_),
        reordered_(reordered_elements(pipeline)),
        splits_(!g_.split_kept && g_.cores() * blocks_ <= kFewItems),
        chunk_(std::max<std::int64_t>(
            static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(kChunk / width_ + 1))), kMostLeaf)) {
    for (std::size_t k = 0; k < pipeline.targets.size(); ++k) {
      const auto& node = *targets[static_cast<std::size_t>(pipeline.targets[k])].node;
      outputs_.push_back(output_for(*node.as<graph::Reduce>(), node.inputs[0]->dtype, table, memory[k]));
      outputs_.back().scratch = targets[static_cast<std::size_t>(pipeline.targets[k])].destination.scratch;
    }
  }

  std::int64_t state_bytes(int threads) const override {
    const bool carried = g_.columns && !g_.split_kept && g_.length > 1;
    const std::int64_t sets = (carried ? blocks_ : 1) + threads + (splits_ && threads > 1 ? kChunksAtOnce : 0);
    const std::int64_t meetings = g_.outputs_under_way() * blocks_;
    return memory::pool_capacity(CoreSet::bytes(outputs_)) * sets +
           threads *
               (memory::Arena::capacity_for(schedule_.machine_bytes()) + memory::Arena::capacity_for(scratch_bytes())) +
           (meetings > 0 ? meetings * memory::pool_capacity(meeting_bytes(width_)) + items_at_once() * finished_bytes()
                         : 0);
  }
  std::int64_t tile() const override { return schedule_.tile(); }
  std::int64_t units() const override {
    if (by_lead_) return lead_of(pipeline_.natural);
    return g_.split_kept ? g_.channels : g_.cores() * g_.length * blocks_;
  }
  std::int64_t good_step(std::int64_t wanted) const override {
    std::int64_t whole = 1;
    if (!by_lead_ && g_.split_kept) whole = width_;
    if (!by_lead_ && !g_.split_kept) whole = g_.columns && wanted >= blocks_ ? blocks_ : g_.columns ? 1 : 4096;
    return std::max(wanted / whole, std::int64_t{1}) * whole;
  }
  Stretch stretch(Units units) const override {
    const std::int64_t size = pipeline_.program.size();
    if (by_lead_ || g_.split_kept) {
      const std::int64_t inner = size / this->units();
      return {units.begin * inner, units.end * inner};
    }
    // A step of the axes before the reordered ones is the same elements in both orders; within it, any of them.
    const Stretch exact = walked(units);
    return {exact.begin / reordered_ * reordered_, (exact.end + reordered_ - 1) / reordered_ * reordered_};
  }
  Stretch walked(Units units) const override {
    if (by_lead_ || g_.split_kept) return stretch(units);
    const auto element = [&](std::int64_t unit) {
      return unit / blocks_ * g_.channels + std::min(unit % blocks_ * width_, g_.channels);
    };
    return {element(units.begin), element(units.end)};
  }

  void feed(Units units, const Bases& bases, const std::vector<std::byte*>&, const PassContext& context) override {
    if (g_.split_kept)
      feed_kept(units, bases, context);
    else
      feed_rows(units, bases, context);
  }

  void finish() override {
    PENSTOCK_CHECK(open_.empty() && meetings_.empty(), "a reduction ended before its elements");
  }

 private:
  /// Elements that come one after the other in all lanes: the fast loops of the kernels take nothing else.
  static std::int64_t group_of(const Pipeline& pipeline) {
    return pipeline.geometry.columns ? 1 : 64 * pipeline.geometry.channels;
  }

  /// Elements of the innermost axes that are walked in another order than they are named; 1 when there are none.
  static std::int64_t reordered_elements(const Pipeline& pipeline) {
    std::vector<int> walked;
    for (const int axis : pipeline.geometry.order) {
      if (pipeline.natural[static_cast<std::size_t>(axis)] != 1) walked.push_back(axis);
    }
    std::vector<int> named = walked;
    std::sort(named.begin(), named.end());
    std::int64_t elements = 1;
    const auto first = std::mismatch(walked.begin(), walked.end(), named.begin()).second;
    for (auto axis = first; axis != named.end(); ++axis) elements *= pipeline.natural[static_cast<std::size_t>(*axis)];
    return elements;
  }

  /// Columns of a block, such that all blocks are about as wide.
  static std::int64_t block_width(std::int64_t channels) {
    const std::int64_t blocks = (channels + kMostColumns - 1) / kMostColumns;
    return std::min(channels, ((channels + blocks - 1) / blocks + 63) / 64 * 64);
  }

  Output output_for(const graph::Reduce& reduce, DType accumulator, const kernel::Table& table, std::byte* to) const {
    Output output;
    const auto [folded, parts, reducer] = folded_as(reduce.reduction, accumulator, table);
    output.parts = parts;
    output.to = to;
    output.shape.reducer = reducer;
    output.field = reducer->result_field;
    output.shape.item_bytes = size_of(folded);
    output.shape.lanes = g_.columns ? 1 : kernel::lanes_of(folded);
    output.shape.channels = width_ * output.parts;
    if (order_free(reduce.reduction, folded)) {
      output.shape.most_nodes = splits_ ? NodeStack::entries_for(std::int64_t{1} << 40) : 1;
    } else {
      output.shape.leaf = g_.columns ? kColumnLeaf : output.shape.lanes * kernel::kLeafGroups;
      output.shape.most_nodes = NodeStack::entries_for(g_.length / output.shape.leaf + 1);
    }
    return output;
  }

  /// Columns of the innermost kept run, all rows of each.
  void feed_kept(Units units, const Bases& bases, const PassContext& context) {
    const std::int64_t inner = g_.channels / this->units();
    const std::int64_t begin = units.begin * inner;
    const std::int64_t end = units.end * inner;
    const std::int64_t step = g_.columns ? width_ : end - begin;
    const std::int64_t n = (end - begin + step - 1) / step;
    run_items(n, g_.length * std::min(step, end - begin), bases, context, [&](std::int64_t i) {
      const std::int64_t column = begin + i * step;
      return Item{0, column, std::min(step, end - column), 0, g_.length};
    });
  }

  /// Consecutive rows (elements of all channels); the first and the last may lack blocks of columns.
  void feed_rows(Units units, const Bases& bases, const PassContext& context) {
    const std::int64_t rows = g_.cores() * g_.length;
    const std::int64_t total = this->units();
    std::int64_t begin = by_lead_ ? units.begin * (rows / total) * blocks_ : units.begin;
    std::int64_t end = by_lead_ ? units.end * (rows / total) * blocks_ : units.end;
    // In units of blocks from here on. Row r lacks the blocks before begin % blocks_ and those from end % blocks_ on.
    const std::int64_t first_core = begin / blocks_ / g_.length;
    const std::int64_t last_core = ((end + blocks_ - 1) / blocks_ - 1) / g_.length;
    const auto item = [&](std::int64_t i) {
      const std::int64_t core = first_core + i / blocks_;
      const std::int64_t block = i % blocks_;
      const std::int64_t row0 = begin / blocks_ + (block < begin % blocks_ ? 1 : 0);
      const std::int64_t row1 = end / blocks_ + (block < end % blocks_ ? 1 : 0);
      const std::int64_t base = core * g_.length;
      return Item{core, block * width_, std::min(width_, g_.channels - block * width_),
                  std::clamp<std::int64_t>(row0 - base, 0, g_.length),
                  std::clamp<std::int64_t>(row1 - base, 0, g_.length)};
    };
    const std::int64_t n = (last_core - first_core + 1) * blocks_;
    const std::int64_t each = (end - begin) * width_ / std::max<std::int64_t>(n, 1);
    const std::int64_t chunk = shared_chunk(each / width_, context.threads);
    if (splits_ && each >= 2 * chunk * width_ && workers(each, context) > 1) {
      for (std::int64_t i = 0; i < n; ++i) run_in_chunks(item(i), chunk, bases, context);
      meet();
      return;
    }
    // Cores that meet in one output are put together before too many of them wait.
    const std::int64_t at_once = items_at_once();
    for (std::int64_t first = 0; first < n; first += at_once) {
      run_items(std::min(n - first, at_once), each, bases, context, [&](std::int64_t i) { return item(first + i); });
      meet();
    }
  }

  /// Bytes of a worker's CoreSet.
  std::int64_t scratch_bytes() const {
    return CoreSet::bytes(outputs_) + static_cast<std::int64_t>(outputs_.size() * sizeof(Core)) + memory::kAlignment;
  }

  /// Threads worth using for `elements` at once.
  int workers(std::int64_t elements, const PassContext& context) const {
    return workers_for(traffic(pipeline_.program, elements), context.threads, class_of(pipeline_.program, true));
  }

  /// Elements of a channel in a chunk when a core of `length` is shared: chunk_, and less where that leaves some thread
  /// without its four.
  std::int64_t shared_chunk(std::int64_t length, int threads) const {
    constexpr std::int64_t kLeast = 8 << 10;  // elements: a few microseconds' worth
    const auto floor = [](std::int64_t n) {
      return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1))));
    };
    return std::clamp(floor(length / (4 * threads)), std::min(chunk_, std::max(kMostLeaf, floor(kLeast / width_))),
                      chunk_);
  }

  template <class ItemOf>
  void run_items(std::int64_t n, std::int64_t elements_each, const Bases& bases, const PassContext& context,
                 const ItemOf& item) {
    const std::int64_t batch = std::max<std::int64_t>(1, kChunk / std::max<std::int64_t>(elements_each, 1));
    context.share((n + batch - 1) / batch, workers(n * elements_each, context), [&](const auto& next) {
      TileMachine machine(schedule_, *context.table);
      machine.bind(bases);
      const memory::Arena::Scope scope(scratch_bytes());
      CoreSet scratch(outputs_, width_, memory::Arena::local());
      for (std::int64_t b = next(); b >= 0; b = next()) {
        for (std::int64_t i = b * batch; i < std::min(n, (b + 1) * batch); ++i)
          run_item(item(i), machine, scratch, context);
      }
    });
  }

  void run_item(const Item& item, TileMachine& machine, CoreSet& scratch, const PassContext& context) {
    if (item.begin >= item.end) return;
    if (item.begin == 0 && item.end == g_.length) {
      scratch.reset(outputs_, item.width, 0);
      fold(item, machine, scratch, context);
      deliver(item, scratch);
      return;
    }
    CoreSet& cores = opened(item);
    fold(item, machine, cores, context);
    finish_if_whole(item, cores);
  }

  /// Chunks of one core at once, then put together in order.
  void run_in_chunks(const Item& item, std::int64_t size, const Bases& bases, const PassContext& context) {
    CoreSet& cores = opened(item);
    std::vector<std::unique_ptr<CoreSet>> chunks;
    std::int64_t begin = item.begin;
    while (begin < item.end) {
      // The first piece reaches up to a chunk's boundary and goes to the open core itself.
      const std::int64_t head = std::min(item.end, begin / size * size + size);
      const std::int64_t left = (item.end - head + size - 1) / size;
      const std::int64_t n = std::min(left, kChunksAtOnce);
      while (static_cast<std::int64_t>(chunks.size()) < n)
        chunks.push_back(std::make_unique<CoreSet>(outputs_, item.width, 0));
      context.share(n + 1, context.threads, [&](const auto& next) {
        TileMachine machine(schedule_, *context.table);
        machine.bind(bases);
        for (std::int64_t i = next(); i >= 0; i = next()) {
          if (i == 0) {
            fold({item.core, item.column, item.width, begin, head}, machine, cores, context);
            continue;
          }
          const std::int64_t start = head + (i - 1) * size;
          CoreSet& chunk = *chunks[static_cast<std::size_t>(i - 1)];
          chunk.reset(outputs_, item.width, start);
          fold({item.core, item.column, item.width, start, std::min(item.end, start + size)}, machine, chunk, context);
          if (start + size <= item.end) chunk.close();
        }
      });
      for (std::int64_t i = 0; i < n; ++i) cores.append(*chunks[static_cast<std::size_t>(i)]);
      begin = std::min(item.end, head + n * size);
    }
    finish_if_whole(item, cores);
  }

  /// Folds the item's elements into `cores`, tile by tile.
  void fold(const Item& item, TileMachine& machine, CoreSet& cores, const PassContext& context) const {
    const std::int64_t base = item.core * g_.core_size();
    const std::int64_t at_once = chunk_of(pipeline_.program);
    if (g_.columns || g_.split_kept) {
      const std::int64_t rows = std::max<std::int64_t>(1, at_once / std::max<std::int64_t>(item.width, 1));
      in_pieces(context, item.end - item.begin, rows, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t first = base + (item.begin + begin) * g_.channels + item.column;
        if (g_.columns && machine.only_borrows()) return fold_rows(first, item.width, end - begin, machine, cores);
        for (std::int64_t r = 0; r < end - begin; ++r)
          fold_stretch(first + r * g_.channels, item.width, machine, cores);
      });
      return;
    }
    // Whole steps, so that every tile is folded as if there were no pieces.
    const std::int64_t step = machine.step(false);
    const std::int64_t piece = std::max(at_once / step, std::int64_t{1}) * step;
    const std::int64_t first = base + item.begin * g_.channels;
    in_pieces(context, (item.end - item.begin) * g_.channels, piece,
              [&](std::int64_t begin, std::int64_t end) { fold_stretch(first + begin, end - begin, machine, cores); });
  }

  /// Rows of `width` columns, where they lie.
  void fold_rows(std::int64_t first, std::int64_t width, std::int64_t rows, TileMachine& machine,
                 CoreSet& cores) const {
    machine.run(first, rows * width, nullptr);  // as many as are read, some of them further on
    for (std::size_t k = 0; k < outputs_.size(); ++k)
      cores.cores()[k].fold_rows(machine.output(static_cast<int>(k)), g_.channels * outputs_[k].parts, rows);
  }

  void fold_stretch(std::int64_t first, std::int64_t n, TileMachine& machine, CoreSet& cores) const {
    const std::int64_t step = machine.step(false);
    for (std::int64_t done = 0; done < n; done += step) {
      const std::int64_t length = std::min(step, n - done);
      machine.run(first + done, length, nullptr);
      for (std::size_t k = 0; k < outputs_.size(); ++k) {
        cores.cores()[k].fold(machine.output(static_cast<int>(k)), length * outputs_[k].parts);
      }
    }
  }

  std::int64_t key_of(const Item& item) const { return item.core * blocks_ + item.column / width_; }

  CoreSet& opened(const Item& item) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<CoreSet>& cores = open_[key_of(item)];
    if (!cores) cores = std::make_unique<CoreSet>(outputs_, item.width, item.begin);
    PENSTOCK_CHECK(cores->position() == item.begin);
    return *cores;
  }

  void finish_if_whole(const Item& item, CoreSet& cores) {
    if (cores.position() < g_.length) return;
    deliver(item, cores);
    const std::lock_guard lock(mutex_);
    open_.erase(key_of(item));
  }

  void deliver(const Item& item, CoreSet& cores) {
    cores.close();
    if (g_.cores_per_output() == 1) {
      for (std::size_t k = 0; k < outputs_.size(); ++k) {
        const NodeStack& nodes = cores.cores()[k].nodes();
        write(outputs_[k], g_.output_of(item.core) * g_.channels + item.column, item.width,
              nodes.result(outputs_[k].field));
      }
      return;
    }
    Finished finished;
    finished.width = item.width;
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const NodeStack& nodes = cores.cores()[k].nodes();
      const auto& reducer = *outputs_[k].shape.reducer;
      const std::int64_t bytes = NodeStack::bytes(reducer, item.width * outputs_[k].parts, 1);
      finished.nodes.emplace_back(nodes.result(), nodes.result() + bytes);
      finished.elements.push_back(nodes.elements());
    }
    const std::lock_guard lock(mutex_);
    finished_[key_of(item)] = std::move(finished);
  }

  static void write(const Output& output, std::int64_t first, std::int64_t n, const std::byte* values) {
    const std::int64_t bytes = output.parts * output.shape.reducer->field_bytes;
    auto body = [&] { std::memcpy(output.to + first * bytes, values, static_cast<std::size_t>(n * bytes)); };
    if (!output.scratch) return body();
    const auto call = [](void* self) { (*static_cast<decltype(body)*>(self))(); };
    if (!memory::guarded(call, &body)) raise_errno(output.scratch->name(), first * bytes, "cannot write it", EIO);
  }

  /// Merges the cores of this feed into their outputs, in order of their number.
  void meet() {
    for (auto& [key, finished] : finished_) {
      const std::int64_t core = key / blocks_;
      const std::int64_t column = key % blocks_ * width_;
      const std::int64_t place = g_.output_of(core) * blocks_ + key % blocks_;
      Meeting& meeting = meeting_at(place, finished.width);
      for (std::size_t k = 0; k < outputs_.size(); ++k) {
        meeting.stacks[k].push(finished.nodes[k].data(), finished.width * outputs_[k].parts, 0, finished.elements[k]);
      }
      if (++meeting.cores < g_.cores_per_output()) continue;
      for (std::size_t k = 0; k < outputs_.size(); ++k) {
        meeting.stacks[k].close();
        write(outputs_[k], g_.output_of(core) * g_.channels + column, finished.width,
              meeting.stacks[k].result(outputs_[k].field));
      }
      meetings_.erase(place);
    }
    finished_.clear();
  }

  /// Bytes of a meeting's nodes of one reduction, a multiple of 64.
  std::int64_t stack_bytes(const Output& output, std::int64_t width) const {
    const std::int64_t entries = NodeStack::entries_for(g_.cores_per_output());
    return (NodeStack::bytes(*output.shape.reducer, width * output.parts, entries) + 63) / 64 * 64;
  }

  std::int64_t meeting_bytes(std::int64_t width) const {
    std::int64_t bytes = 0;
    for (const Output& output : outputs_) bytes += stack_bytes(output, width);
    return bytes;
  }

  /// Bytes of one finished core that waits for its meeting.
  std::int64_t finished_bytes() const {
    std::int64_t bytes = 0;
    for (const Output& output : outputs_)
      bytes += sizeof(Finished) + NodeStack::bytes(*output.shape.reducer, width_ * output.parts, 1);
    return bytes;
  }

  /// Items that are run before their cores meet.
  std::int64_t items_at_once() const {
    if (g_.cores_per_output() == 1) return kItemsAtOnce;
    return std::clamp<std::int64_t>(kFinishedAtOnce / finished_bytes(), 16, kItemsAtOnce);
  }

  Meeting& meeting_at(std::int64_t place, std::int64_t width) {
    Meeting& meeting = meetings_[place];
    if (!meeting.stacks.empty()) return meeting;
    meeting.storage = memory::Buffer::allocate(meeting_bytes(width), "state of a reduction");
    std::byte* at = meeting.storage.data();
    for (const Output& output : outputs_) {
      meeting.stacks.emplace_back(*output.shape.reducer, width * output.parts, at);
      at += stack_bytes(output, width);
    }
    return meeting;
  }

  const Pipeline& pipeline_;
  const Geometry& g_;
  Schedule schedule_;
  bool by_lead_;
  std::int64_t width_;  // columns in a block
  std::int64_t blocks_;
  std::int64_t reordered_;  // elements of the axes that the geometry reorders: needed whole
  bool splits_;             // few cores: each is cut into chunks
  std::int64_t chunk_;      // elements of a channel in a chunk: a power of two, a multiple of every leaf
  std::vector<Output> outputs_;
  std::mutex mutex_;
  std::map<std::int64_t, std::unique_ptr<CoreSet>> open_;  // cores that the next feed goes on with
  std::map<std::int64_t, Finished> finished_;
  std::map<std::int64_t, Meeting> meetings_;
};

}  // namespace

std::unique_ptr<Runner> make_fold(const Pipeline& pipeline, const std::vector<Target>& targets,
                                  const kernel::Table& table, const std::vector<std::byte*>& memory, bool by_lead) {
  return std::make_unique<FoldRunner>(pipeline, targets, table, memory, by_lead);
}

}  // namespace penstock::run
