// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/distinct.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "penstock/run/crew.h"
#include "penstock/run/tuning.h"
#include "penstock/thread/parallel.h"

namespace penstock::run {
namespace {

constexpr std::int64_t kPiece = 64 << 10;  // elements

/// f(piece, elements, n, whether there are elements before) for each piece, by all threads.
template <class T, class F>
void for_pieces(const std::byte* data, std::int64_t n, bool follows, const F& f) {
  const T* x = reinterpret_cast<const T*>(data);
  const int threads = workers_for(2 * n * static_cast<std::int64_t>(sizeof(T)), thread::count(), OpClass::kReduction);
  share({threads, nullptr}, (n + kPiece - 1) / kPiece, [&](int, std::int64_t piece) {
    const std::int64_t first = piece * kPiece;
    f(static_cast<std::size_t>(piece), x + first, std::min(kPiece, n - first), follows || first > 0);
  });
}

template <class F>
void for_sortable(DType dtype, const F& f) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) f.template operator()<T>();
  });
}

}  // namespace

std::vector<std::int64_t> count_distinct(DType dtype, const std::byte* x, std::int64_t n, bool follows) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>((n + kPiece - 1) / kPiece), 0);
  for_sortable(dtype, [&]<class T>() {
    for_pieces<T>(x, n, follows, [&](std::size_t piece, const T* part, std::int64_t m, bool compared) {
      std::int64_t found = compared ? 0 : 1;
      for (std::int64_t i = compared ? 0 : 1; i < m; ++i) found += !(part[i] == part[i - 1]);
      counts[piece] = found;
    });
  });
  return counts;
}

void copy_distinct(DType dtype, const std::byte* x, std::int64_t n, const std::vector<std::int64_t>& counts,
                   std::byte* to, bool follows) {
  std::vector<std::int64_t> begins(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), begins.begin() + 1);
  for_sortable(dtype, [&]<class T>() {
    for_pieces<T>(x, n, follows, [&](std::size_t piece, const T* part, std::int64_t m, bool compared) {
      T* out = reinterpret_cast<T*>(to) + begins[piece];
      T* const end = reinterpret_cast<T*>(to) + begins[piece + 1];
      std::int64_t i = 0;
      if (!compared) *out++ = part[i++];
      // Written whether it stays or not: the next one then takes its place. Nothing is written behind the last.
      for (; i < m && out != end; ++i) {
        *out = part[i];
        out += !(part[i] == part[i - 1]);
      }
    });
  });
}

}  // namespace penstock::run
