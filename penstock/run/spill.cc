// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/spill.h"

#include <algorithm>

#include "penstock/base/env.h"
#include "penstock/base/error.h"
#include "penstock/base/text.h"

namespace penstock::run {
namespace {

using Kind = Destination::Kind;

/// The mapping of a scratch file, kept with it: results of reductions come in no order that suits writing.
class MappedScratch final : public memory::Memory {
 public:
  explicit MappedScratch(std::shared_ptr<store::ScratchFile> file) : file_(std::move(file)) {}
  std::byte* data() const override { return file_->mapped(); }

 private:
  std::shared_ptr<store::ScratchFile> file_;
};

/// The readers of a target become readers of a file.
void read_from_file(Plan& plan, int target, const std::shared_ptr<store::FileSource>& file) {
  for (Pipeline& pipeline : plan.pipelines) {
    bool changed = false;
    for (Operand& operand : pipeline.program.operands) {
      if (operand.kind != Operand::Kind::kTarget || operand.target != target) continue;
      operand.kind = Operand::Kind::kFile;
      operand.file = file;
      operand.target = -1;
      changed = true;
    }
    if (changed) turn_operands(pipeline);
  }
}

/// Whether a pipeline of this work computes the target.
bool computed_by(const Plan& plan, int target, Work work) {
  return std::any_of(plan.pipelines.begin(), plan.pipelines.end(), [&](const Pipeline& pipeline) {
    return pipeline.work == work && pipeline.program.size() > 0 &&
           std::count(pipeline.targets.begin(), pipeline.targets.end(), target) != 0;
  });
}

}  // namespace

bool spill_largest(Plan& plan) {
  // Tests of tiling see small results only.
  const std::int64_t worth_a_file = env(Env::kDEBUG_OUTER) ? 1 : 64 << 10;
  int largest = -1;
  std::int64_t bytes = worth_a_file - 1;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const Target& target = plan.targets[i];
    if (target.requested || target.destination.kind != Kind::kNode || target.node->bytes() <= bytes) continue;
    const auto index = static_cast<int>(i);
    if (!computed_by(plan, index, Work::kStore) && !computed_by(plan, index, Work::kFold)) continue;
    largest = index;
    bytes = target.node->bytes();
  }
  if (largest < 0) return false;
  Target& target = plan.targets[static_cast<std::size_t>(largest)];
  Destination& to = target.destination;
  PENSTOCK_CHECK(is_contiguous(to.layout, size_of(target.node->dtype)));
  to.kind = Kind::kScratch;
  to.written = std::make_shared<store::FileSource>(
      cat("scratch file in ", scratch_directory(plan)),
      store::FileFormat{target.node->dtype, false, contiguous(target.node->shape, size_of(target.node->dtype)), "raw"});
  for (Pipeline& pipeline : plan.pipelines) {
    for (std::size_t k = 0; k < pipeline.targets.size(); ++k) {
      if (pipeline.targets[k] == largest) pipeline.parts[k].kind = Kind::kScratch;
    }
  }
  read_from_file(plan, largest, to.written);
  return true;
}

std::string scratch_directory(const Plan& plan) {
  std::string output;
  for (const Target& target : plan.targets) {
    if (output.empty()) output = target.destination.path;
  }
  return store::scratch_directory(output);
}

void create_scratch(Plan& plan) {
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    Destination& to = plan.targets[i].destination;
    if (to.kind != Kind::kScratch) continue;
    if (to.scratch != nullptr) continue;  // the caller's
    to.scratch = std::make_shared<store::ScratchFile>(scratch_directory(plan), plan.targets[i].node->bytes());
    if (computed_by(plan, static_cast<int>(i), Work::kFold)) to.memory = std::make_shared<MappedScratch>(to.scratch);
    for (Pipeline& pipeline : plan.pipelines) {
      for (std::size_t k = 0; k < pipeline.targets.size(); ++k) {
        if (pipeline.targets[k] == static_cast<int>(i)) pipeline.parts[k].scratch = to.scratch;
      }
    }
  }
}

void finish_scratch(Plan& plan, const Pass& pass) {
  for (const int index : pass.pipelines) {
    for (const Operand& operand : plan.pipelines[static_cast<std::size_t>(index)].program.operands) {
      if (operand.kind != Operand::Kind::kFile || operand.file->attached()) continue;
      for (Target& target : plan.targets) {
        if (target.destination.written == operand.file)
          operand.file->attach(target.destination.scratch->finish().release());
      }
    }
  }
}

}  // namespace penstock::run
