// SPDX-License-Identifier: Apache-2.0
// How one pass is walked: the size of its outer tiles, how its files are read, and the memory it takes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/run/runner.h"
#include "penstock/run/stream.h"

namespace penstock::run {

/// One operand of one pipeline of a pass that lies in a file, and the stream it is read by.
struct FileOperand {
  int pipeline;  // index in the pass
  int operand;
  int stream;       // index in PassPlan::streams; -1: through the mapping
  int turned = -1;  // index in PassPlan::turned; -1: read where it lies
};

/// A file whose tiles are transposed, once for all operands that see it so.
struct TurnedFile {
  std::shared_ptr<store::FileSource> file;
  Turning how;
  bool cacheable = true;  // the page cache can be expected to keep it
};

struct PassPlan {
  int threads = 1;
  std::int64_t units = 1;
  std::int64_t step = 1;        // units of an outer tile
  int depth = 0;                // tiles in flight; 0: nothing is read or written in tiles
  std::vector<Stream> streams;  // files read into buffers, with what each tile needs
  std::vector<FileOperand> files;
  std::vector<std::shared_ptr<store::FileSource>> mapped;
  std::vector<TurnedFile> turned;
  std::int64_t tile_turned = 0;  // what buffers take for a tile's transposed operands
  std::int64_t tile_in = 0;      // for its reads, at most
  std::int64_t tile_out = 0;     // for its writes to files
  std::int64_t state = 0;        // reductions and registers
  std::int64_t source_bytes = 0;
  std::int64_t output_bytes = 0;  // written to files

  std::int64_t tiles() const { return (units + step - 1) / step; }
  Units tile(std::int64_t i) const { return {i * step, i * step + step < units ? i * step + step : units}; }
  std::int64_t bytes() const { return depth * (tile_in + tile_out) + tile_turned + state; }
};

/// Chooses for a pass whose runners are `runners`. Tiles shrink, then fewer are in flight, then one thread works, until
/// the pass fits into `available` bytes; when nothing fits, the least it needs is returned. Reads no data.
PassPlan plan_pass(const Plan& plan, const Pass& pass, const std::vector<std::unique_ptr<Runner>>& runners,
                   std::int64_t available, int threads);

}  // namespace penstock::run
