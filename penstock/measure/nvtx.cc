// SPDX-License-Identifier: Apache-2.0
#include "penstock/measure/nvtx.h"

#ifdef PENSTOCK_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace penstock::measure {

#ifdef PENSTOCK_NVTX
void nvtx_push(const char* name) { nvtxRangePushA(name); }
void nvtx_pop() { nvtxRangePop(); }
#else
void nvtx_push(const char*) {}
void nvtx_pop() {}
#endif

}  // namespace penstock::measure
