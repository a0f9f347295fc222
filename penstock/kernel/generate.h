// SPDX-License-Identifier: Apache-2.0
// Loops made at run time: several elementwise operations in one loop whose values stay in vector registers.
//
// A recipe is data; the machine code made of it gives the bits that the table's kernels give one after the other, on
// the same target, apart from the sign and payload of NaN. There is none for targets but avx2 and above, for operations
// that are no short sequence of instructions (maths, complex numbers, divisions of integers), and where the system
// forbids making code.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/kernel/table.h"

namespace penstock::kernel {

/// Operations carried out element by element. Values are numbered: the inputs, then the result of each step.
struct Recipe {
  struct Input {
    DType dtype = DType::k_float32;
    bool single = false;  // one element that stands for all
  };
  struct Step {
    Op op = Op::k_add;
    DType dtype = DType::k_float32;  // it computes with
    int inputs[kMaxArity] = {-1, -1, -1};
  };
  std::vector<Input> inputs;
  std::vector<Step> steps;
  std::vector<int> outputs;  // values of steps
};

/// Bytes of the elements that a generated loop over `dtype` keeps in a lane: 4 or 8, 0 where there is no such loop.
/// All values of a recipe share one width; bool goes with any.
std::int64_t lane_bytes(DType dtype);

/// Whether a step may be `op` over `dtype` on the target in use.
bool is_generated(Op op, DType dtype);

/// Whether the values of a recipe, all of whose steps are generated, find room in the registers of the target in use.
bool fits_registers(const Recipe& recipe);

/// A loop made of a recipe.
class Generated {
 public:
  using Loop = void (*)(const void* const* in, void* const* out, std::int64_t vectors);

  virtual ~Generated() = default;

  /// out[k][0, n) of in[...][0, n), as an Elementwise of the table does. With `streams` the results leave by
  /// non-temporal stores, which Table::fence ends.
  void run(const void* const* in, void* const* out, std::int64_t n, bool streams) const;

 protected:
  std::vector<Recipe::Input> inputs_;
  std::vector<std::int64_t> out_bytes_;  // of an element of each output
  std::int64_t lanes_ = 0;
  Loop ordinary_ = nullptr;
  Loop streaming_ = nullptr;

 private:
  void run_some(const void* const* in, void* const* out, std::int64_t first, std::int64_t n) const;
  std::int64_t before_aligned(void* const* out, std::int64_t n) const;
};

/// Inputs and outputs of a recipe at most.
inline constexpr std::size_t kMostStreams = 96;

/// The loop for the target in use, made once; null where the system forbids making code, or PENSTOCK_JIT is off.
std::shared_ptr<const Generated> generate(const Recipe& recipe);

}  // namespace penstock::kernel
