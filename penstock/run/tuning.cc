// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/tuning.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/kernel/elsewhere.h"
#include "penstock/thread/executor.h"

namespace penstock::run {
namespace {

using Rows = std::vector<std::pair<std::string, std::int64_t>>;

constexpr std::size_t kRows = static_cast<std::size_t>(Tuning::kEnd);
constexpr const char* kNames[] = {
#define PENSTOCK_TUNING(name, usual, meaning) #name,
#include "penstock/run/tuning.def"
#undef PENSTOCK_TUNING
};

/// Bytes of traffic from which a result is written around the caches. Ordinary stores read each line first. Where the
/// last cache is a fast one, that only costs time once the data does not fit; on Intel's server cores, with their large
/// second and slow last cache, as soon as it does not fit the former.
std::int64_t around_caches(const TunedMachine& machine) {
  const bool slow_last = machine.intel && machine.l2 >= 1 << 20 && machine.l3 >= 16 * machine.l2;
  return slow_last ? 2 * machine.l2 : machine.l3 / 4 * 3;
}

struct State {
  std::array<std::atomic<std::int64_t>, kRows> rows;
  std::atomic<bool> set{false};
  TuningSource source{"default", ""};

  State() {
    fill(default_rows(this_machine()));
    const std::string path = tuning_path();
    std::ifstream in(path, std::ios::binary);
    if (path.empty() || !in) return;
    std::string text(64 << 10, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    try {
      fill(parse_tuning(text, machine_id()));
      source.from = "file";
    } catch (const Error& error) {
      source.note = cat(path, " is not used: ", error.what());
    }
  }

  void fill(const Rows& values) {
    for (const auto& [name, bytes] : values) put(name, bytes);
  }
  bool put(const std::string& name, std::int64_t bytes) {
    const auto found = std::find(std::begin(kNames), std::end(kNames), name);
    if (found == std::end(kNames)) return false;
    rows[static_cast<std::size_t>(found - std::begin(kNames))].store(bytes, std::memory_order_relaxed);
    return true;
  }
};

State& state() {
  static State* made = new State;
  return *made;
}

/// The flat JSON object that ps.tune() writes: names with texts or whole numbers.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void take(char wanted) {
    if (peek() != wanted) {
      const std::string found = at_ < text_.size() ? cat("'", text_[at_], "'") : "the end";
      throw FormatError(cat("byte ", at_, ": expected '", wanted, "', got ", found, "; run penstock tune again"));
    }
    ++at_;
  }
  std::string string() {
    take('"');
    const std::size_t end = text_.find_first_of("\"\\", at_);
    if (end == std::string_view::npos || text_[end] != '"')
      throw FormatError(cat("byte ", at_, ": the text does not end; run penstock tune again"));
    std::string found(text_.substr(at_, end - at_));
    at_ = end + 1;
    return found;
  }
  std::int64_t number() {
    peek();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - begin < 18) ++at_;
    if (at_ == begin) throw FormatError(cat("byte ", at_, ": expected a whole number; run penstock tune again"));
    return std::stoll(std::string(text_.substr(begin, at_ - begin)));
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Tuning row_of(Tuning first, OpClass what) {
  return static_cast<Tuning>(static_cast<int>(first) + static_cast<int>(what));
}

static_assert(static_cast<int>(Tuning::k_awake_reduction) - static_cast<int>(Tuning::k_awake_copy) ==
              static_cast<int>(OpClass::kReduction));
static_assert(static_cast<int>(Tuning::k_asleep_reduction) - static_cast<int>(Tuning::k_asleep_copy) ==
              static_cast<int>(OpClass::kReduction));
static_assert(static_cast<int>(Tuning::k_stream_maths) - static_cast<int>(Tuning::k_stream_copy) ==
              static_cast<int>(OpClass::kMaths));

}  // namespace

TunedMachine this_machine() {
  const Caches& c = caches();
  return {cpu_vendor() == "GenuineIntel", c.l2, c.l3};
}

Rows default_rows(const TunedMachine& machine) {
  return {
#define PENSTOCK_TUNING(name, usual, meaning) {#name, usual},
#include "penstock/run/tuning.def"
#undef PENSTOCK_TUNING
  };
}

std::int64_t tuned(Tuning row) { return state().rows[static_cast<std::size_t>(row)].load(std::memory_order_relaxed); }

void set_tuned(const std::string& name, std::int64_t bytes) {
  if (bytes < 0) throw ArgumentError(cat("threshold ", name, " of ", bytes, " bytes is negative"));
  if (!state().put(name, bytes)) throw ArgumentError(cat("'", name, "' is no threshold; ps.tuning() lists them"));
  state().set.store(true);
}

Rows tuned_rows() {
  Rows rows;
  for (std::size_t i = 0; i < kRows; ++i) rows.emplace_back(kNames[i], tuned(static_cast<Tuning>(i)));
  return rows;
}

std::string tuning_path() {
  if (const auto path = env(Env::kTUNE)) return *path;
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const bool has_config = config != nullptr && config[0] == '/';
  if (!has_config && (home == nullptr || home[0] != '/')) return "";
  return cat(has_config ? std::string(config) : cat(home, "/.config"), "/penstock/tune-", machine_id(), ".json");
}

TuningSource tuning_source() {
  TuningSource source = state().source;
  if (state().set.load()) source.from = "set";
  return source;
}

Rows parse_tuning(std::string_view text, const std::string& machine) {
  Reader reader(text);
  Rows rows;
  std::string measured_on;
  reader.take('{');
  while (reader.peek() != '}') {
    if (!rows.empty() || !measured_on.empty()) reader.take(',');
    const std::string name = reader.string();
    reader.take(':');
    if (reader.peek() != '"') {
      rows.emplace_back(name, reader.number());
      if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames))
        throw FormatError(cat("'", name, "' is no threshold; run penstock tune again"));
    } else if (name == "machine") {
      measured_on = reader.string();
    } else {
      throw FormatError(cat("'", name, "' is a text; run penstock tune again"));
    }
  }
  reader.take('}');
  if (reader.peek() != '\0') throw FormatError("more follows behind the end; run penstock tune again");
  if (measured_on != machine)
    throw ArgumentError(
        cat("it was measured on machine '", measured_on, "', this is '", machine, "'; run penstock tune here"));
  return rows;
}

OpClass class_of(const Program& program, bool reduces) {
  const auto maths = [](const Instruction& each) {
    return !each.cast && (kernel::is_elsewhere(each.op, each.from) || row(each.op).domain == Domain::kWord);
  };
  if (std::any_of(program.instructions.begin(), program.instructions.end(), maths)) return OpClass::kMaths;
  if (reduces) return OpClass::kReduction;
  const auto cast = [](const Instruction& each) { return each.cast; };
  const bool copies = std::all_of(program.instructions.begin(), program.instructions.end(), cast);
  return copies ? OpClass::kCopy : OpClass::kArithmetic;
}

int workers_for(std::int64_t bytes, int threads, OpClass what) {
  if (threads < 2 || bytes < tuned(row_of(Tuning::k_awake_copy, what))) return 1;
  const bool shared = bytes >= tuned(row_of(Tuning::k_asleep_copy, what)) || thread::in_a_row();
  return shared ? threads : 1;
}

bool streams_stores(std::int64_t bytes, OpClass what) {
  return what != OpClass::kReduction && bytes > tuned(row_of(Tuning::k_stream_copy, what));
}

}  // namespace penstock::run
