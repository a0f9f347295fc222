// SPDX-License-Identifier: Apache-2.0
// Elementwise results, written to memory or to the tile of a file.

#include <algorithm>
#include <optional>

#include "penstock/run/packed.h"
#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

/// Where one output's elements go.
struct Place {
  std::byte* base = nullptr;  // element i at base + i * size when contiguous, else byte 0 of the layout
  bool contiguous = true;
  Layout layout;
  std::int64_t size = 1;
};

class StoreRunner final : public ElementRunner {
 public:
  StoreRunner(const Pipeline& pipeline, std::vector<std::byte*> memory, bool by_lead)
      : ElementRunner(pipeline, by_lead) {
    for (std::size_t k = 0; k < memory.size(); ++k) {
      Place place;
      place.size = size_of(pipeline.program.values[static_cast<std::size_t>(pipeline.program.outputs[k])]);
      place.layout = pipeline.parts[k].layout;
      const bool file = memory[k] == nullptr;
      place.contiguous = file || is_contiguous(place.layout, place.size);
      place.base = file ? nullptr : memory[k] + (place.contiguous ? place.layout.offset : 0);
      places_.push_back(std::move(place));
    }
  }

  std::int64_t state_bytes(int threads) const override {
    return threads * memory::Arena::capacity_for(schedule_.machine_bytes());
  }

  void feed(Units units, const Bases& bases, const std::vector<std::byte*>& into, const PassContext& context) override {
    const Stretch all = stretch(units);
    std::vector<Place> places = places_;
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (into[k] != nullptr) places[k].base = into[k] - all.begin * places[k].size;
    }
    const std::int64_t n = all.end - all.begin;
    const int workers = workers_for(traffic(pipeline_.program, n), context.threads, class_of(pipeline_.program, false));
    const std::int64_t size = chunk_of(pipeline_.program, n, workers);
    const std::int64_t chunks = (n + size - 1) / size;
    context.share(chunks, workers, [&](const auto& next) {
      std::optional<TileMachine> machine;
      if (!make_machine(machine, context)) return;
      machine->bind(bases, context.streaming_stores);
      for (std::int64_t chunk = next(); chunk >= 0; chunk = next()) {
        const std::int64_t first = all.begin + chunk * size;
        auto body = [&] { run_chunk(*machine, {first, std::min(first + size, all.end)}, places, context); };
        run_guarded(context, body);
      }
    });
  }

  void finish() override {}

 private:
  /// In place, a worker that finds no scratch stays away: the caller has some, and half a result has no way back.
  bool make_machine(std::optional<TileMachine>& machine, const PassContext& context) const {
    try {
      machine.emplace(schedule_, *context.table);
      return true;
    } catch (...) {
      if (!context.in_place) throw;
      return false;
    }
  }

  void run_chunk(TileMachine& machine, Stretch chunk, const std::vector<Place>& places,
                 const PassContext& context) const {
    std::byte* to[kMostOutputs] = {};
    const std::int64_t step =
        machine.step(std::all_of(places.begin(), places.end(), [](const Place& place) { return place.contiguous; }));
    for (std::int64_t first = chunk.begin; first < chunk.end; first += step) {
      const std::int64_t n = std::min(step, chunk.end - first);
      for (std::size_t k = 0; k < places.size(); ++k) {
        to[k] = places[k].contiguous ? places[k].base + first * places[k].size : nullptr;
      }
      machine.run(first, n, to);
      for (std::size_t k = 0; k < places.size(); ++k) {
        if (!places[k].contiguous) scatter(*context.table, places[k], first, n, machine.output(static_cast<int>(k)));
      }
    }
    if (context.streaming_stores) context.table->fence();
  }

  /// Elements [first, first + n) of the layout, written one row at a time.
  static void scatter(const kernel::Table& table, const Place& place, std::int64_t first, std::int64_t n,
                      const std::byte* from) {
    const Layout& layout = place.layout;
    const std::size_t rank = layout.shape.size();
    if (rank == 0) {
      table.unpack[log2_of(place.size)](from, place.base + layout.offset, 0, n);
      return;
    }
    const std::int64_t row = layout.shape[rank - 1];
    while (n > 0) {
      std::int64_t offset = layout.offset + first % row * layout.strides[rank - 1];
      std::int64_t rest = first / row;
      for (std::size_t d = rank - 1; d-- > 0; rest /= layout.shape[d])
        offset += rest % layout.shape[d] * layout.strides[d];
      const std::int64_t length = std::min(n, row - first % row);
      table.unpack[log2_of(place.size)](from, place.base + offset, layout.strides[rank - 1], length);
      from += length * place.size;
      first += length;
      n -= length;
    }
  }

  std::vector<Place> places_;
};

}  // namespace

std::unique_ptr<Runner> make_store(const Pipeline& pipeline, std::vector<std::byte*> memory, bool by_lead) {
  return std::make_unique<StoreRunner>(pipeline, std::move(memory), by_lead);
}

}  // namespace penstock::run
