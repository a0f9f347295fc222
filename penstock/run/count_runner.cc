// SPDX-License-Identifier: Apache-2.0
// Histograms: each worker counts into bins of its own; integer counts add up to the same in any order.

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>

#include "penstock/run/runner.h"

namespace penstock::run {
namespace {

class CountRunner final : public Runner {
 public:
  CountRunner(const Pipeline& pipeline, const std::vector<Target>& targets, std::vector<std::byte*> memory,
              bool by_lead)
      : pipeline_(pipeline), schedule_(pipeline.program), memory_(std::move(memory)), by_lead_(by_lead) {
    for (const int target : pipeline.targets) {
      const auto& node = *targets[static_cast<std::size_t>(target)].node;
      bins_.push_back(*node.as<graph::Histogram>());
      counts_.emplace_back(static_cast<std::size_t>(node.shape[0]), 0);
    }
  }

  std::int64_t state_bytes(int threads) const override {
    std::int64_t bytes = threads * schedule_.bytes();
    for (const auto& each : counts_)
      bytes +=
          (threads * kernel::kHistogramCopies + 1) * static_cast<std::int64_t>((each.size() + 1) * sizeof(each[0]));
    return bytes;
  }
  std::int64_t tile() const override { return schedule_.tile(); }
  std::int64_t units() const override { return by_lead_ ? lead_of(pipeline_.natural) : pipeline_.program.size(); }
  std::int64_t good_step(std::int64_t wanted) const override {
    const std::int64_t whole = by_lead_ ? 1 : 4096;
    return std::max(wanted / whole, std::int64_t{1}) * whole;
  }
  Stretch stretch(Units units) const override {
    const std::int64_t inner = pipeline_.program.size() / this->units();
    return {units.begin * inner, units.end * inner};
  }

  void feed(Units units, const Bases& bases, const std::vector<std::byte*>&, const PassContext& context) override {
    const Stretch all = stretch(units);
    const std::int64_t n = all.end - all.begin;
    const int workers = workers_for(traffic(pipeline_.program, n), context.threads);
    const std::int64_t size = chunk_of(pipeline_.program);
    context.share((n + size - 1) / size, workers, [&](const auto& next) {
      TileMachine machine(schedule_, *context.table);
      machine.bind(bases);
      std::vector<std::vector<std::int64_t>> counts;
      for (const auto& each : counts_) counts.emplace_back((each.size() + 1) * kernel::kHistogramCopies, 0);
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
      for (std::size_t k = 0; k < counts.size(); ++k) {
        for (std::size_t b = 0; b < counts_[k].size(); ++b) {
          const auto copies = counts[k].begin() + static_cast<std::ptrdiff_t>(b) * kernel::kHistogramCopies;
          counts_[k][b] += std::accumulate(copies, copies + kernel::kHistogramCopies, std::int64_t{0});
        }
      }
    });
  }

  void finish() override {
    for (std::size_t k = 0; k < counts_.size(); ++k) {
      std::memcpy(memory_[k], counts_[k].data(), counts_[k].size() * sizeof(std::int64_t));
    }
  }

 private:
  void count_tile(TileMachine& machine, std::int64_t first, std::int64_t n,
                  std::vector<std::vector<std::int64_t>>& counts, const kernel::Table& table) const {
    machine.run(first, n, nullptr);
    for (std::size_t k = 0; k < counts.size(); ++k) {
      const graph::Histogram& bins = bins_[k];
      table.histogram(reinterpret_cast<const double*>(machine.output(static_cast<int>(k))), n, bins.edges.data(),
                      static_cast<std::int64_t>(bins.edges.size()) - 1, bins.scale, counts[k].data());
    }
  }

  const Pipeline& pipeline_;
  Schedule schedule_;
  std::vector<std::byte*> memory_;
  bool by_lead_;
  std::vector<graph::Histogram> bins_;
  std::mutex mutex_;
  std::vector<std::vector<std::int64_t>> counts_;
};

}  // namespace

std::unique_ptr<Runner> make_count(const Pipeline& pipeline, const std::vector<Target>& targets,
                                   std::vector<std::byte*> memory, bool by_lead) {
  return std::make_unique<CountRunner>(pipeline, targets, std::move(memory), by_lead);
}

}  // namespace penstock::run
