// SPDX-License-Identifier: Apache-2.0
// The door to NVTX: ranges that NVIDIA's Nsight Systems shows beside the work of a GPU. Built with PENSTOCK_NVTX only.
#pragma once

namespace penstock::measure {

#ifdef PENSTOCK_NVTX
inline constexpr bool kNvtx = true;
#else
inline constexpr bool kNvtx = false;
#endif

/// Begins a range on this thread. Without a tool that listens it costs a load and a branch.
void nvtx_push(const char* name);
/// Ends the range that this thread began last.
void nvtx_pop();

}  // namespace penstock::measure
