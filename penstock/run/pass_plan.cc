// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/pass_plan.h"

#include <algorithm>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/memory/pool.h"
#include "penstock/store/direct_write.h"

namespace penstock::run {
namespace {

// Of the widest stream. What disks like, in one huge page with the blocks that a tile shares with its neighbours: all
// that is in flight stays in the cache, and pages of 4 KiB would be read into at a third of the speed.
constexpr std::int64_t kStreamTile = (2 << 20) - (16 << 10);
constexpr std::int64_t kMappedTile = 16 << 20;     // long enough that workers who wait for the last one do not show
constexpr std::int64_t kResidentTile = 256 << 20;  // one pipeline over memory: only progress and Ctrl-C need a cut
// All readers at work while one tile is computed and the next lie ready: none waits for the arithmetic.
constexpr int kDepth = 2 * kReaders;
constexpr int kLeastDepth = 3;

enum class Io { kAuto, kMap, kRead, kDirect };

Io io_setting() {
  const std::string text = env(Env::kIO).value_or("auto");
  if (text == "auto") return Io::kAuto;
  if (text == "mmap") return Io::kMap;
  if (text == "pread") return Io::kRead;
  if (text == "direct") return Io::kDirect;
  throw ArgumentError(cat("PENSTOCK_IO is '", text, "'; use auto, mmap, pread or direct"));
}

bool in_file(const Operand& operand) { return operand.kind == Operand::Kind::kFile; }

class PassPlanner {
 public:
  PassPlanner(const Plan& plan, const Pass& pass, const std::vector<std::unique_ptr<Runner>>& runners, Io io)
      : plan_(plan), pass_(pass), runners_(runners), io_(io) {}

  PassPlan make(std::int64_t available, int threads) {
    out_.units = pass_.by_lead ? pass_.units : runners_[0]->units();
    measure();
    out_.source_bytes = plan_.source_bytes(pass_);
    out_.threads = threads;
    for (const auto& runner : runners_) out_.state += runner->state_bytes(threads);
    choose_files();
    const bool streams = !out_.streams.empty() || out_.output_bytes > 0;
    out_.depth = streams ? kDepth : 0;
    std::int64_t wanted = streams ? kStreamTile : out_.files.empty() ? kResidentTile : kMappedTile;
    // Several pipelines over one source: the later ones find the tile in the cache.
    if (runners_.size() > 1) wanted = std::min(wanted, std::max<std::int64_t>(caches().l3 / 4, 1 << 20));
    const auto debug_outer = env(Env::kDEBUG_OUTER);
    if (debug_outer) wanted = std::max<std::int64_t>(parse_bytes(*debug_outer, 0), 1);
    // Tiles that are transposed are large ones: few are in flight.
    if (!out_.turned.empty()) out_.depth = std::min(out_.depth, kLeastDepth);
    const std::int64_t moved = streams ? widest_ : moved_;
    const std::int64_t per_unit = std::max<std::int64_t>((moved + out_.units - 1) / out_.units, 1);
    std::int64_t step = wanted / per_unit;
    if (!debug_outer) step = std::max(step, turned_step());
    const std::int64_t least = fitted(1);
    while (true) {
      cut(step);
      if (out_.bytes() <= available || (out_.step <= least && out_.depth <= 1)) return std::move(out_);
      // Half a tile is read at a third of the speed; the last tiles of the queue are worth less than that.
      if (out_.step > least && out_.depth <= kLeastDepth)
        step = out_.step / 2;
      else
        --out_.depth;
    }
  }

 private:
  const Pipeline& pipeline(std::size_t i) const {
    return plan_.pipelines[static_cast<std::size_t>(pass_.pipelines[i])];
  }

  /// A step near `wanted` at which the walk is cut well.
  std::int64_t fitted(std::int64_t wanted) const {
    const std::int64_t asked = std::max<std::int64_t>(wanted, 1);
    return std::min(pass_.by_lead ? asked : runners_[0]->good_step(asked), std::max<std::int64_t>(out_.units, 1));
  }

  /// Bytes moved, of file outputs and of the widest file.
  void measure() {
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      const Pipeline& p = pipeline(i);
      moved_ += traffic(p.program, p.program.size());
      for (std::size_t k = 0; k < p.parts.size(); ++k) {
        const std::int64_t size = size_of(p.program.values[static_cast<std::size_t>(p.program.outputs[k])]);
        if (p.work != Work::kStore || !p.parts[k].in_file()) continue;
        out_.output_bytes += p.program.size() * size;
        widest_ = std::max(widest_, p.program.size() * size);
      }
      for (std::size_t o = 0; o < p.program.operands.size(); ++o) {
        const Operand& operand = p.program.operands[o];
        if (in_file(operand)) widest_ = std::max(widest_, byte_range(p.reads[o], size_of(operand.dtype)).size());
      }
    }
  }

  /// Each file operand: mapped where its pages are resident or its tiles would overlap, streamed otherwise.
  void choose_files() {
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      const Program& program = pipeline(i).program;
      for (std::size_t o = 0; o < program.operands.size(); ++o) {
        if (!in_file(program.operands[o])) continue;
        const int turned = choose_turned(i, o);
        const int stream = turned >= 0 ? -1 : choose_stream(i, o);
        out_.files.push_back({static_cast<int>(i), static_cast<int>(o), stream, turned});
        const auto& file = program.operands[o].file;
        if (stream < 0 && std::find(out_.mapped.begin(), out_.mapped.end(), file) == out_.mapped.end())
          out_.mapped.push_back(file);
      }
    }
  }

  int choose_turned(std::size_t i, std::size_t o) {
    for (const TurnedOperand& each : pipeline(i).turned) {
      if (each.operand != static_cast<int>(o)) continue;
      const auto& file = pipeline(i).program.operands[o].file;
      const auto same = [&](const TurnedFile& other) { return other.file == file && other.how == each.how; };
      const auto found = std::find_if(out_.turned.begin(), out_.turned.end(), same);
      const auto index = static_cast<int>(found - out_.turned.begin());
      if (found == out_.turned.end()) {
        const std::int64_t bytes =
            byte_range(pipeline(i).reads[o], size_of(pipeline(i).program.operands[o].dtype)).size();
        out_.turned.push_back({file, each.how, bytes < memory_facts().usable() / 2});
        of_turned_.push_back(i);
      }
      return index;
    }
    return -1;
  }

  /// The step at which each piece that is read of a turned file is long enough to pay for reaching it.
  std::int64_t turned_step() const {
    constexpr std::int64_t kRun = 4096;
    constexpr std::int64_t kRunFromDisk = 256 << 10;  // what is read ahead at a fault is used then
    std::int64_t step = 0;
    for (std::size_t t = 0; t < out_.turned.size(); ++t) {
      const auto& [file, how, cacheable] = out_.turned[t];
      const double elements = static_cast<double>(how.elements_for(cacheable ? kRun : kRunFromDisk));
      const double share = elements / static_cast<double>(pipeline(of_turned_[t]).program.size());
      step = std::max(step, static_cast<std::int64_t>(share * static_cast<double>(out_.units)));
    }
    return step;
  }

  int choose_stream(std::size_t i, std::size_t o) {
    const Operand& operand = pipeline(i).program.operands[o];
    const Layout& layout = pipeline(i).reads[o];
    const ByteRange all = byte_range(layout, size_of(operand.dtype));
    if (io_ == Io::kMap || all.size() == 0 || !front_to_back(layout, size_of(operand.dtype))) return -1;
    // The pages of a scratch file that is yet to be written are nowhere, for all that is known.
    const bool unwritten = !operand.file->attached();
    store::ReadMode mode = io_ == Io::kDirect ? store::ReadMode::kDirect : store::ReadMode::kBuffered;
    if (io_ == Io::kAuto && !unwritten) {
      const double resident = operand.file->mapping().residency(all.begin, all.end);
      if (resident > 0.9) return -1;
      // Where part of a file is in the page cache already, buffered reads use it.
      mode = resident < 0.1 ? store::ReadMode::kDirect : store::ReadMode::kBuffered;
    }
    for (std::size_t s = 0; s < out_.streams.size(); ++s) {
      if (out_.streams[s].file == operand.file && whole_[s].begin < all.end && all.begin < whole_[s].end) {
        whole_[s] = {std::min(whole_[s].begin, all.begin), std::max(whole_[s].end, all.end)};
        return static_cast<int>(s);
      }
    }
    out_.streams.push_back({operand.file, mode, {}});
    whole_.push_back(all);
    return static_cast<int>(out_.streams.size()) - 1;
  }

  /// Sets step and what each tile reads and writes.
  void cut(std::int64_t step) {
    out_.step = fitted(step);
    out_.tile_in = 0;
    out_.tile_out = 0;
    for (Stream& stream : out_.streams) stream.tiles.clear();
    for (std::int64_t t = 0; t < out_.tiles() && !out_.streams.empty(); ++t) {
      std::int64_t bytes = 0;
      for (std::size_t s = 0; s < out_.streams.size(); ++s) {
        const ByteRange range = tile_range(static_cast<int>(s), out_.tile(t));
        out_.streams[s].tiles.push_back(range);
        if (range.size() > 0) bytes += store::FileSource::buffer_bytes(range.size());
      }
      out_.tile_in = std::max(out_.tile_in, bytes);
    }
    out_.tile_turned = 0;
    for (std::size_t t = 0; t < out_.turned.size(); ++t) {
      const Runner& runner = *runners_[of_turned_[t]];
      std::int64_t most = 0;
      for (std::int64_t i = 0; i < out_.tiles(); ++i)
        most = std::max(most, out_.turned[t].how.bytes(runner.walked(out_.tile(i))));
      out_.tile_turned += memory::pool_capacity(most);
    }
    if (out_.output_bytes > 0) out_.tile_out = output_buffers();
  }

  /// What the buffers of one tile's file outputs take; the first tile is as large as any.
  std::int64_t output_buffers() const {
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      const Pipeline& p = pipeline(i);
      const Stretch stretch = runners_[i]->stretch(out_.tile(0));
      for (std::size_t k = 0; k < p.parts.size(); ++k) {
        if (p.work != Work::kStore || !p.parts[k].in_file()) continue;
        const std::int64_t size = size_of(p.program.values[static_cast<std::size_t>(p.program.outputs[k])]);
        bytes += memory::pool_capacity((stretch.end - stretch.begin) * size);
        if (!is_contiguous(p.parts[k].layout, size))
          bytes += kWriters * memory::pool_capacity(store::DirectWriter::kWindow);
      }
    }
    return bytes;
  }

  ByteRange tile_range(int stream, Units units) const {
    ByteRange range;
    for (const FileOperand& each : out_.files) {
      if (each.stream != stream) continue;
      const Pipeline& p = pipeline(static_cast<std::size_t>(each.pipeline));
      const Stretch stretch = runners_[static_cast<std::size_t>(each.pipeline)]->stretch(units);
      const auto o = static_cast<std::size_t>(each.operand);
      const ByteRange one = hull(p.reads[o], size_of(p.program.operands[o].dtype), stretch);
      if (range.size() == 0)
        range = one;
      else
        range = {std::min(range.begin, one.begin), std::max(range.end, one.end)};
    }
    return range;
  }

  const Plan& plan_;
  const Pass& pass_;
  const std::vector<std::unique_ptr<Runner>>& runners_;
  const Io io_;
  std::vector<ByteRange> whole_;        // per stream
  std::vector<std::size_t> of_turned_;  // per turned file: a pipeline that reads it
  std::int64_t moved_ = 0;
  std::int64_t widest_ = 0;  // of the files
  PassPlan out_;
};

}  // namespace

PassPlan plan_pass(const Plan& plan, const Pass& pass, const std::vector<std::unique_ptr<Runner>>& runners,
                   std::int64_t available, int threads) {
  const auto planned = [&](int count, Io io) { return PassPlanner(plan, pass, runners, io).make(available, count); };
  const Io io = io_setting();
  PassPlan found = planned(threads, io);
  if (found.bytes() > available && threads > 1) found = planned(1, io);
  if (found.bytes() <= available || found.streams.empty()) return found;
  // What a tile reads lies far apart, a column of a wide matrix: of what is mapped only the pages touched are read.
  PassPlan mapped = planned(1, Io::kMap);
  return mapped.bytes() <= available ? mapped : found;
}

}  // namespace penstock::run
