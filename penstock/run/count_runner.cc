// SPDX-License-Identifier: Apache-2.0
// Histograms: each worker counts into bins of its own, which are added up at the end, in any order to the same.

#include <algorithm>
#include <atomic>

#include "penstock/memory/pool.h"
#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

class CountRunner final : public ElementRunner {
 public:
  CountRunner(const Pipeline& pipeline, const std::vector<Target>& targets, std::vector<std::byte*> memory,
              bool by_lead)
      : ElementRunner(pipeline, by_lead), memory_(std::move(memory)) {
    for (const int target : pipeline.targets) {
      const auto& node = *targets[static_cast<std::size_t>(target)].node;
      bins_.push_back(*node.as<graph::Histogram>());
      each_ += counts_of(bins_.back());
    }
    each_ = (each_ + kLine - 1) / kLine * kLine;
  }

  std::int64_t state_bytes(int threads) const override {
    return threads * memory::Arena::capacity_for(schedule_.machine_bytes()) + memory::pool_capacity(bytes_for(threads));
  }

  void feed(Units units, const Bases& bases, const std::vector<std::byte*>&, const PassContext& context) override {
    const Stretch all = stretch(units);
    const std::int64_t n = all.end - all.begin;
    const int workers = workers_for(traffic(pipeline_.program, n), context.threads, class_of(pipeline_.program, true));
    const std::int64_t size = chunk_of(pipeline_.program, n, workers);
    make_counts(context.threads);
    // Numbers are given with a first chunk, from 0 on: what has ever been taken is a prefix of the block.
    std::atomic<std::int64_t> takers{0};
    context.share((n + size - 1) / size, workers, [&](const auto& next) {
      TileMachine machine(schedule_, *context.table);
      machine.bind(bases);
      std::int64_t chunk = next();
      if (chunk < 0) return;
      std::int64_t* counts = slot(takers.fetch_add(1));
      for (; chunk >= 0; chunk = next()) {
        const std::int64_t begin = all.begin + chunk * size;
        const std::int64_t end = std::min(begin + size, all.end);
        auto body = [&] {
          for (std::int64_t first = begin; first < end; first += schedule_.tile()) {
            count_tile(machine, first, std::min(schedule_.tile(), end - first), counts, *context.table);
          }
        };
        run_guarded(context, body);
      }
    });
    used_ = std::max(used_, takers.load());
  }

  void finish() override {
    std::int64_t first = 0;
    for (std::size_t k = 0; k < bins_.size(); first += counts_of(bins_[k++])) {
      auto* out = reinterpret_cast<std::int64_t*>(memory_[k]);
      const std::int64_t bins = std::ssize(bins_[k].edges) - 1;
      std::fill_n(out, bins, 0);
      for (std::int64_t worker = 0; worker < used_; ++worker) {
        const std::int64_t* counts = counts_ + worker * each_ + first;
        for (std::int64_t i = 0; i < bins * kernel::kHistogramCopies; ++i)
          out[i / kernel::kHistogramCopies] += counts[i];
      }
    }
  }

 private:
  static constexpr std::int64_t kLine = 16;  // counts: what neighbouring CPUs pass on to each other at once

  /// kHistogramCopies counts of each bin, and of what lies outside.
  static std::int64_t counts_of(const graph::Histogram& bins) {
    return std::ssize(bins.edges) * kernel::kHistogramCopies;
  }

  std::int64_t bytes_for(int workers) const { return workers * each_ * static_cast<std::int64_t>(sizeof *counts_); }

  /// Room for so many workers; counts last from stretch to stretch.
  void make_counts(int workers) {
    if (storage_) return;
    storage_ = memory::Buffer::allocate(bytes_for(workers), "counts of a histogram");
    counts_ = reinterpret_cast<std::int64_t*>(storage_.data());
  }

  /// A worker's counts, 0 at its first stretch: those of threads that get no work are neither cleared nor added up.
  std::int64_t* slot(std::int64_t worker) const {
    std::int64_t* counts = counts_ + worker * each_;
    if (worker >= used_) std::fill_n(counts, each_, 0);
    return counts;
  }

  void count_tile(TileMachine& machine, std::int64_t first, std::int64_t n, std::int64_t* counts,
                  const kernel::Table& table) const {
    machine.run(first, n, nullptr);
    for (std::size_t k = 0; k < bins_.size(); ++k) {
      const graph::Histogram& bins = bins_[k];
      table.histogram(reinterpret_cast<const double*>(machine.output(static_cast<int>(k))), n, bins.edges.data(),
                      std::ssize(bins.edges) - 1, bins.scale, counts);
      counts += counts_of(bins);
    }
  }

  std::vector<std::byte*> memory_;
  std::vector<graph::Histogram> bins_;
  std::int64_t each_ = 0;  // counts of a worker
  memory::Buffer storage_;
  std::int64_t* counts_ = nullptr;
  std::int64_t used_ = 0;  // workers that have taken work in the stretches before
};

}  // namespace

std::unique_ptr<Runner> make_count(const Pipeline& pipeline, const std::vector<Target>& targets,
                                   std::vector<std::byte*> memory, bool by_lead) {
  return std::make_unique<CountRunner>(pipeline, targets, std::move(memory), by_lead);
}

}  // namespace penstock::run
