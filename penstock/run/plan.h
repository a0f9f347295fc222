// SPDX-License-Identifier: Apache-2.0
// The plan: which programs run, in which passes over the sources, with how much memory. Made without reading data.
//
//   target     a node to be computed, and where its elements go
//   pipeline   one program whose outputs are targets: stored, folded into reductions, or counted into bins
//   pass       pipelines that walk the same leading axis over a common source: it is read once
//   wave       passes whose inputs are the results of earlier waves
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/run/geometry.h"
#include "penstock/run/program.h"
#include "penstock/run/turned.h"
#include "penstock/store/npy_sink.h"
#include "penstock/store/scratch_file.h"

namespace penstock::run {

/// Where a requested node's elements go.
struct Destination {
  enum class Kind : std::uint8_t {
    kNode,      // fresh memory, kept by the node
    kMemory,    // memory of the caller, any strides; no overlap with what is read, or exactly the same elements
    kFile,      // a .npy output
    kAbstract,  // a file not opened yet: for plans that are only shown
    kScratch,   // a scratch file, read by later waves or, where it is requested, by the caller
  };
  Kind kind = Kind::kNode;
  std::shared_ptr<memory::Memory> memory;
  std::shared_ptr<store::NpySink> sink;
  Layout layout;                                // of kMemory: offset from memory->data(); of files: offset in the data
  std::string path;                             // of kFile and kAbstract, where it is known
  std::shared_ptr<store::ScratchFile> scratch;  // kScratch: the caller's, else once the plan is carried out
  std::shared_ptr<store::FileSource> written;   // kScratch: the same bytes as later waves read them

  /// Whether results leave by tiles that are written to a file.
  bool in_file() const { return kind == Kind::kFile || kind == Kind::kAbstract || kind == Kind::kScratch; }
};

struct Request {
  graph::NodeRef node;
  Destination destination;
};

struct Target {
  graph::NodeRef node;
  Destination destination;  // kNode: memory and layout are set when it is computed
  int wave = 0;
  bool requested = false;

  /// Whether memory has to be found for it: not where a result takes over an operand's.
  bool is_fresh() const { return destination.kind == Destination::Kind::kNode && !destination.memory; }
};

/// Outputs of one pipeline at most; a program with more has no room in L1 anyway.
inline constexpr std::size_t kMostOutputs = 16;

/// An operand that is read turned, tile by tile.
struct TurnedOperand {
  int operand;
  Turning how;
};

enum class Work : std::uint8_t { kStore, kFold, kCount };

struct Pipeline {
  Work work = Work::kStore;
  Program program;                 // in the order of the walk
  std::vector<int> targets;        // output k of the program goes to targets[k]
  std::vector<Destination> parts;  // kStore: the part of the target's destination that output k fills
  Geometry geometry;               // kFold
  int wave = 0;
  Dims natural;                       // the iteration's shape before a fold reorders its axes
  std::vector<Layout> reads;          // operands' layouts in that shape, where their bytes lie
  std::vector<TurnedOperand> turned;  // their layouts in the program are those of a tile
};

struct Pass {
  std::vector<int> pipelines;
  int wave = 0;
  std::int64_t units = 1;  // steps the walk may be cut into
  bool by_lead = false;    // units are steps of the leading axis; else of the only pipeline's finest cut
};

struct Plan {
  std::vector<Target> targets;
  std::vector<Pipeline> pipelines;
  std::vector<Pass> passes;
  bool in_place = false;  // a result is written over an operand

  std::int64_t result_bytes() const;  // fresh memory for targets
  std::int64_t held_bytes() const;    // what the pool takes for it
  /// Bytes of memory and files that a pass reads, each once; results of earlier passes are not counted.
  std::int64_t source_bytes(const Pass& pass) const;
  std::int64_t source_bytes() const;   // of all passes
  std::int64_t output_bytes() const;   // bytes written to files
  std::int64_t scratch_bytes() const;  // bytes written to scratch files
};

/// Has the operands that lie turned in files transposed by tiles.
void turn_operands(Pipeline& pipeline);

/// Throws ShapeError, DTypeError or BudgetError; reads no data. The caller holds graph_mutex().
Plan make_plan(const std::vector<Request>& requests);

/// Leading extent of a shape: the first that is not 1, or 1.
std::int64_t lead_of(const Dims& shape);

}  // namespace penstock::run
