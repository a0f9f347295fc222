// SPDX-License-Identifier: Apache-2.0
// Penstock: NumPy-shaped arrays of any size, lazy, fused, and streamed from disk within a memory budget.
//
//   #include <penstock/penstock.h>
//   namespace ps = penstock;
//   ps::memory::Governor::instance().set_budget(ps::parse_bytes("1GiB", 0));
//   ps::Array u = ps::open("u.npy"), v = ps::open("v.npy");
//   ps::save(ps::sqrt(u * u + v * v), "speed.npy");  // one pass; the file has its name once it is complete
#pragma once

#include "penstock/array/array.h"
#include "penstock/array/choose.h"
#include "penstock/base/error.h"
#include "penstock/base/level.h"
#include "penstock/base/machine.h"
#include "penstock/base/text.h"
#include "penstock/measure/counters.h"
#include "penstock/measure/latencies.h"
#include "penstock/measure/trace.h"
#include "penstock/memory/governor.h"
#include "penstock/simd/target.h"
#include "penstock/thread/parallel.h"
#include "penstock/type/dtype.h"
#include "penstock/type/shape.h"
