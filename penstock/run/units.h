// SPDX-License-Identifier: Apache-2.0
// What the tile interpreter carries out in one go: an instruction by its kernel, or several by one loop made for them.
#pragma once

#include <memory>
#include <vector>

#include "penstock/kernel/generate.h"
#include "penstock/run/program.h"

namespace penstock::run {

struct Unit {
  std::vector<int> instructions;
  std::vector<int> inputs;                        // values
  std::vector<int> outputs;                       // values that later units read or the program gives
  std::shared_ptr<const kernel::Generated> loop;  // null: one instruction, by its kernel
};

/// The program as units, each after those whose values it reads. Instructions share a loop where the target in use
/// makes loops, their lanes have one width and their values find room in its registers.
std::vector<Unit> units_of(const Program& program);

}  // namespace penstock::run
