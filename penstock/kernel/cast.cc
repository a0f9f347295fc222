// SPDX-License-Identifier: Apache-2.0
// Conversions between every two dtypes.
#include "penstock/simd/config.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "penstock/kernel/cast.cc"
#include "hwy/foreach_target.h"

#include <cstring>
#include <type_traits>

#include "penstock/kernel/convert-inl.h"
#include "penstock/kernel/table.h"

HWY_BEFORE_NAMESPACE();
namespace penstock::kernel::HWY_NAMESPACE {
namespace {

template <class From, class To>
HWY_FLATTEN void cast(const void* in, void* out, std::int64_t n) {
  const From* x = static_cast<const From*>(in);
  To* r = static_cast<To*>(out);
  if constexpr (std::is_same_v<From, To>) {
    if (n > 0) std::memmove(r, x, static_cast<std::size_t>(n) * sizeof(To));
  } else {
    PENSTOCK_INDEPENDENT for (std::int64_t i = 0; i < n; ++i) r[i] = convert<To>(x[i]);
  }
}

/// Bools convert as the bytes that they are: compilers do not widen bools in vectors.
template <class From, class To>
using Source = std::conditional_t<std::is_same_v<From, bool> && !std::is_same_v<To, bool>, unsigned char, From>;

template <class From>
void fill_from(Table& table) {
#define PENSTOCK_DTYPE(name, type, kind, npy)                       \
  table.cast[index_of(kDTypeOf<From>)][index_of(DType::k_##name)] = \
      cast<Source<ElementOf<From>, ElementOf<type>>, ElementOf<type>>;
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace

void fill_cast(Table& table);
void fill_cast(Table& table) {
#define PENSTOCK_DTYPE(name, type, kind, npy) fill_from<type>(table);
#include "penstock/type/dtype.def"
#undef PENSTOCK_DTYPE
}

}  // namespace penstock::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
