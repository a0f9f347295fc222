// SPDX-License-Identifier: Apache-2.0
// The speed of a flow from its two components, file to file, and a mistake that is caught. Makes its own data.
#include <cmath>
#include <iostream>

#include <penstock/penstock.h>

namespace ps = penstock;

int main() {
  ps::memory::Governor::instance().set_budget(ps::parse_bytes("64MiB", 0));
  constexpr std::int64_t kCount = 1'000'000;
  ps::save(ps::linspace(0.0, 3.0, kCount), "u.npy");
  ps::save(ps::linspace(0.0, 4.0, kCount), "v.npy");

  const ps::Array u = ps::open("u.npy");
  const ps::Array v = ps::open("v.npy");
  const ps::Array speed = ps::sqrt(u * u + v * v);
  std::cout << ps::plan({speed}, true).passes.size() << " pass on " << ps::machine_text() << "\n";
  ps::save(speed, "speed.npy");

  const double fastest = ps::max(ps::open("speed.npy")).item<double>();
  std::cout << "fastest: " << fastest << "\n";
  if (std::abs(fastest - 5.0) > 1e-12) return 1;

  try {
    std::cout << (u + ps::linspace(0.0, 1.0, 7)).size() << "\n";
  } catch (const ps::ShapeError& error) {
    std::cout << "refused: " << error.what() << "\n";
    return 0;
  }
  return 1;
}
