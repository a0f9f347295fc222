// SPDX-License-Identifier: Apache-2.0
// Random expressions from arbitrary bytes: the graph, evaluated, is what the plain interpreter says.
#include "fuzz/try_graph.h"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = penstock::fuzz::try_graph({data, size}, true);
  if (!wrong.empty()) {
    std::fputs(wrong.c_str(), stderr);
    std::abort();
  }
  return 0;
}
