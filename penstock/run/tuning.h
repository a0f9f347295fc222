// SPDX-License-Identifier: Apache-2.0
// Thresholds that differ between machines: the rows of tuning.def. Each has a default that needs no measurement;
// ps.tune() measures them and writes a file for this machine, which is read when the first one is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/run/program.h"

namespace penstock::run {

enum class Tuning : int {
#define PENSTOCK_TUNING(name, usual, meaning) k_##name,
#include "penstock/run/tuning.def"
#undef PENSTOCK_TUNING
  kEnd
};

/// What the defaults depend on.
struct TunedMachine {
  bool intel = false;
  std::int64_t l2 = 1 << 20;   // bytes a core
  std::int64_t l3 = 32 << 20;  // bytes
};

/// Bytes. Any thread, at any time.
std::int64_t tuned(Tuning row);
/// Throws ArgumentError for a name that is no row, or a negative number. Effective from the next evaluation on.
void set_tuned(const std::string& name, std::int64_t bytes);
/// (name, bytes) of each row, as they are in use.
std::vector<std::pair<std::string, std::int64_t>> tuned_rows();
std::vector<std::pair<std::string, std::int64_t>> default_rows(const TunedMachine& machine);
TunedMachine this_machine();

/// Where the file of this machine lies: PENSTOCK_TUNE, else tune-<machine id>.json in $XDG_CONFIG_HOME/penstock or
/// ~/.config/penstock. Empty where there is no home.
std::string tuning_path();
/// Which of default, file or set the rows are from, and in `note` what is wrong with the file, if anything.
struct TuningSource {
  std::string from;
  std::string note;
};
TuningSource tuning_source();

/// The rows that the text of a file sets. Throws FormatError for what ps.tune() does not write, ArgumentError when it
/// was measured on another machine than `machine`.
std::vector<std::pair<std::string, std::int64_t>> parse_tuning(std::string_view text, const std::string& machine);

/// What an evaluation mostly does; thresholds differ by it.
enum class OpClass : int { kCopy, kArithmetic, kMaths, kReduction };
OpClass class_of(const Program& program, bool reduces);

/// Threads worth using for `bytes` of traffic: fewer bytes are worth it while the threads are awake.
int workers_for(std::int64_t bytes, int threads, OpClass what);
/// Whether results of an evaluation that moves `bytes` are written around the caches.
bool streams_stores(std::int64_t bytes, OpClass what);

}  // namespace penstock::run
