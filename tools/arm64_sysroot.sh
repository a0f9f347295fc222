#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks the arm64 libraries of a cross build into a folder, through apt's own sources and signatures but with apt's
# state kept in that folder, so that the machine does not become multi-arch. Does nothing when it is done already.
set -euo pipefail
root=$(realpath -m "${1:?usage: arm64_sysroot.sh FOLDER}")
packages=(libhwy-dev libhwy1 libsleef-dev libsleef3 libgtest-dev librapidcheck-dev
  libmpfr-dev libmpfr6 libgmp-dev libgmp10 libgmpxx4ldbl)

stamp="$root/done-$(printf '%s ' "${packages[@]}" | sha256sum | cut -c1-16)"
[[ ! -e $stamp ]] || exit 0
mkdir -p "$root"/apt/{lists/partial,archives/partial} "$root/debs"
touch "$root/apt/status"
apt=(apt-get -q
  -o APT::Architecture=arm64 -o APT::Architectures=arm64
  -o Dir::State="$root/apt" -o Dir::State::lists="$root/apt/lists" -o Dir::State::status="$root/apt/status"
  -o Dir::Cache="$root/apt" -o Dir::Cache::archives="$root/apt/archives" -o APT::Sandbox::User=)
"${apt[@]}" update
(cd "$root/debs" && "${apt[@]}" download "${packages[@]}")
for deb in "$root"/debs/*.deb; do
  dpkg-deb -x "$deb" "$root"
done
rm -rf "$root/apt" "$root/debs"
touch "$stamp"
