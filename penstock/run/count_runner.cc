// SPDX-License-Identifier: Apache-2.0
// Histograms: each worker counts into bins of its own, which are added up at the end, in any order to the same.

#include <algorithm>
#include <mutex>

#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

/// By output: kHistogramCopies counts of each bin, and of what lies outside.
using Counts = std::vector<std::vector<std::int64_t>>;

class CountRunner final : public ElementRunner {
 public:
  CountRunner(const Pipeline& pipeline, const std::vector<Target>& targets, std::vector<std::byte*> memory,
              bool by_lead)
      : ElementRunner(pipeline, by_lead), memory_(std::move(memory)) {
    for (const int target : pipeline.targets) {
      const auto& node = *targets[static_cast<std::size_t>(target)].node;
      bins_.push_back(*node.as<graph::Histogram>());
    }
  }

  std::int64_t state_bytes(int threads) const override {
    std::int64_t bytes = threads * memory::Arena::capacity_for(schedule_.machine_bytes());
    for (const auto& each : bins_) bytes += threads * static_cast<std::int64_t>(counts_of(each) * sizeof(std::int64_t));
    return bytes;
  }

  void feed(Units units, const Bases& bases, const std::vector<std::byte*>&, const PassContext& context) override {
    const Stretch all = stretch(units);
    const std::int64_t n = all.end - all.begin;
    const int workers = workers_for(traffic(pipeline_.program, n), context.threads, class_of(pipeline_.program, true));
    const std::int64_t size = chunk_of(pipeline_.program, n, workers);
    context.share((n + size - 1) / size, workers, [&](const auto& next) {
      TileMachine machine(schedule_, *context.table);
      machine.bind(bases);
      Counts counts = take();
      for (std::int64_t chunk = next(); chunk >= 0; chunk = next()) {
        const std::int64_t begin = all.begin + chunk * size;
        const std::int64_t end = std::min(begin + size, all.end);
        auto body = [&] {
          for (std::int64_t first = begin; first < end; first += schedule_.tile()) {
            count_tile(machine, first, std::min(schedule_.tile(), end - first), counts, *context.table);
          }
        };
        run_guarded(context, body);
      }
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(counts));
    });
  }

  void finish() override {
    for (std::size_t k = 0; k < bins_.size(); ++k) {
      auto* out = reinterpret_cast<std::int64_t*>(memory_[k]);
      std::fill_n(out, bins_[k].edges.size() - 1, 0);
      for (const Counts& each : idle_) {
        for (std::size_t i = 0; i < each[k].size() - kernel::kHistogramCopies; ++i)
          out[i / kernel::kHistogramCopies] += each[k][i];
      }
    }
  }

 private:
  static std::size_t counts_of(const graph::Histogram& bins) { return bins.edges.size() * kernel::kHistogramCopies; }

  /// Counts that no worker uses: what an earlier stretch left, or new ones.
  Counts take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Counts counts = std::move(idle_.back());
        idle_.pop_back();
        return counts;
      }
    }
    Counts counts;
    for (const auto& each : bins_) counts.emplace_back(counts_of(each), 0);
    return counts;
  }

  void count_tile(TileMachine& machine, std::int64_t first, std::int64_t n, Counts& counts,
                  const kernel::Table& table) const {
    machine.run(first, n, nullptr);
    for (std::size_t k = 0; k < counts.size(); ++k) {
      const graph::Histogram& bins = bins_[k];
      table.histogram(reinterpret_cast<const double*>(machine.output(static_cast<int>(k))), n, bins.edges.data(),
                      static_cast<std::int64_t>(bins.edges.size()) - 1, bins.scale, counts[k].data());
    }
  }

  std::vector<std::byte*> memory_;
  std::vector<graph::Histogram> bins_;
  std::mutex mutex_;
  std::vector<Counts> idle_;
};

}  // namespace

std::unique_ptr<Runner> make_count(const Pipeline& pipeline, const std::vector<Target>& targets,
                                   std::vector<std::byte*> memory, bool by_lead) {
  return std::make_unique<CountRunner>(pipeline, targets, std::move(memory), by_lead);
}

}  // namespace penstock::run
