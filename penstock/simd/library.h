// SPDX-License-Identifier: Apache-2.0
// Functions of the C library, for arguments outside the domain where a vectorised one is right. All take two arguments;
// functions of one ignore the second.
#pragma once

namespace penstock::simd {

double library_acosh(double x, double);
double library_asinh(double x, double);
double library_atan2(double y, double x);
double library_cosh(double x, double);  // for |x| over 80
double library_hypot(double x, double y);
double library_log1p(double x, double);
double library_sinh(double x, double);  // for |x| over 80

}  // namespace penstock::simd
