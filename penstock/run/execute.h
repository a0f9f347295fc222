// SPDX-License-Identifier: Apache-2.0
// Evaluation: a plan made, checked against the budget, and run.
#pragma once

#include <string>
#include <vector>

#include "penstock/run/monitor.h"
#include "penstock/run/plan.h"

namespace penstock::run {

/// Computes every request in as few passes as fusion allows. Nodes with destination kNode keep their result and drop
/// their inputs. File destinations are committed by the caller. On an error nothing is changed: nodes stay unevaluated.
/// Throws BudgetError before any work when the projected memory does not fit. Safe from many threads; a node that
/// another thread is evaluating is waited for.
void evaluate(const std::vector<Request>& requests, const Options& options = {});

/// Facts of a plan for people and programs.
struct PlanReport {
  struct Pipeline {
    std::string work;  // "store", "fold", "count"
    std::vector<std::string> outputs;
    std::vector<std::string> sources;
    Dims shape;
    std::string program;    // one line a value
    std::int64_t tile = 0;  // elements of a register tile
  };
  struct Pass {
    int wave = 0;
    std::vector<Pipeline> pipelines;
    std::int64_t units = 0;
    std::int64_t step = 0;  // units of an outer tile
    std::int64_t tile_bytes = 0;
    int depth = 0;                   // tiles in flight; 0: nothing is streamed
    std::vector<std::string> reads;  // "photos.npy: mapped"
  };
  std::vector<Pass> passes;
  std::int64_t source_bytes = 0;
  std::int64_t result_bytes = 0;
  std::int64_t scratch_bytes = 0;    // intermediates that go to unlinked files
  std::string scratch_directory;     // where those are
  std::int64_t projected_bytes = 0;  // most memory held at once
  std::int64_t budget = 0;
  std::int64_t available = 0;
  bool fits = true;
  std::string target;
  std::string level;
  int threads = 1;
};

/// What evaluate() would do. Reads no data.
PlanReport explain(const std::vector<Request>& requests);

}  // namespace penstock::run
