#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs examples/cpp_consumer in the three ways a C++ project takes Penstock: find_package and pkg-config over
# an installed tree that was moved, and a sub-directory. Needs build/release.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/build/consumer
rm -rf "$work"
mkdir -p "$work"
# The same flags as build/release, so that ccache has every object already.
settings=(-DCMAKE_BUILD_TYPE=Release -DPENSTOCK_WERROR="${WERROR:-OFF}")
if command -v ccache >/dev/null; then settings+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

run() { (cd "$work" && "$1" && echo "consumer: $2 works"); }

cmake --install build/release --prefix "$work/first" --component cpp >/dev/null
mv "$work/first" "$work/moved"
if grep -rlF -e "$root" "$work/moved" --include='*.cmake' --include='*.pc' --include='*.h'; then
  echo "consumer: these installed files name the build's folders; an install tree must be movable" >&2
  exit 1
fi

cmake -S examples/cpp_consumer -B "$work/config" -G Ninja -DCMAKE_PREFIX_PATH="$work/moved"
cmake --build "$work/config"
run "$work/config/speed" find_package

library=$(dirname "$(find "$work/moved" -name 'libpenstock.so')")
read -ra flags <<<"$(PKG_CONFIG_PATH=$library/pkgconfig pkg-config --cflags --libs penstock)"
g++ examples/cpp_consumer/speed.cc "${flags[@]}" -Wl,-rpath,"$library" -o "$work/speed"
run "$work/speed" pkg-config

cmake -S examples/cpp_consumer -B "$work/sub" -G Ninja -DPENSTOCK_SOURCE="$root" "${settings[@]}"
cmake --build "$work/sub"
run "$work/sub/speed" "sub-directory"
echo "3 passed, 0 failed"
