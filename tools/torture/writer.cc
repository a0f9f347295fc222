// SPDX-License-Identifier: Apache-2.0
// The program under torture: writes generations of one array for ever, and checks what a kill or a fault left.
//
//   writer write DIR COUNT DURABILITY   COUNT generations (0: for ever) after the present one; prints each when
//   committed writer verify DIR LAST              fails unless DIR/out.npy is one whole generation, LAST or later (0:
//   none needed) writer clean DIR                    removes what dead processes left; fails when anything but out.npy
//   remains
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "penstock/base/error.h"
#include "penstock/memory/buffer.h"
#include "penstock/store/file_source.h"
#include "penstock/store/npy_sink.h"

namespace {

using namespace penstock;

constexpr std::int64_t kCount = 300'000;
constexpr std::int64_t kBytes = kCount * 4;
constexpr std::int64_t kPiece = 512 << 10;

/// The generation in the file; 0 without a file. Throws when it is not exactly one generation.
std::int32_t generation_in(const std::string& path) {
  if (!std::filesystem::exists(path)) return 0;
  const auto source = store::open_npy(path, true);
  if (source->format().dtype != DType::k_int32 || source->format().layout.shape != Dims{kCount}) {
    throw CorruptDataError(path + ": another dtype or shape than was written");
  }
  const auto bytes = source->read(byte_range(source->format().layout, 4), store::ReadMode::kDirect);
  const auto* const values = reinterpret_cast<const std::int32_t*>(bytes.data);
  for (std::int64_t i = 0; i < kCount; ++i) {
    if (values[i] != values[0])
      throw CorruptDataError(cat(path, ": torn at element ", i, ": ", values[0], " and ", values[i]));
  }
  return values[0];
}

void write_generation(const std::string& path, std::int32_t generation, store::Durability durability) {
  const memory::Buffer data = memory::Buffer::allocate(kBytes, "generation");
  std::fill_n(reinterpret_cast<std::int32_t*>(data.data()), kCount, generation);
  store::NpySink sink(path, DType::k_int32, {kCount}, true, durability);
  for (std::int64_t at = 0; at < kBytes; at += kPiece) sink.write(at, data.data() + at, std::min(kPiece, kBytes - at));
  sink.commit();
}

int write(const std::string& path, int count, const std::string& durability) {
  const auto how = durability == "power" ? store::Durability::kPower : store::Durability::kProcess;
  for (std::int32_t generation = generation_in(path) + 1, end = generation + count; count == 0 || generation < end;
       ++generation) {
    write_generation(path, generation, how);
    std::printf("%d\n", generation);
    std::fflush(stdout);
  }
  return 0;
}

int verify(const std::string& path, int last) {
  const std::int32_t generation = generation_in(path);
  if (generation >= last) return 0;
  std::fprintf(stderr, "%s: generation %d, but %d was acknowledged\n", path.c_str(), generation, last);
  return 1;
}

int clean(const std::string& directory) {
  for (const std::string& path : store::stale_partials(directory)) std::filesystem::remove(path);
  int left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name == "out.npy" || name == "lost+found" || name == "filler") continue;
    std::fprintf(stderr, "left over: %s\n", name.c_str());
    left = 1;
  }
  return left;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "";
  try {
    const std::string path = verb.empty() ? "" : std::string(argv[2]) + "/out.npy";
    if (verb == "write" && argc == 5) return write(path, std::atoi(argv[3]), argv[4]);
    if (verb == "verify" && argc == 4) return verify(path, std::atoi(argv[3]));
    if (verb == "clean" && argc == 3) return clean(argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  std::fprintf(stderr, "usage: writer write DIR COUNT DURABILITY | verify DIR LAST | clean DIR\n");
  return 2;
}
