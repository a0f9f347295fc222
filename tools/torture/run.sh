#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Breaks a writer of .npy files in every way below and checks after each that the file is one whole generation, none
# that was acknowledged is lost, and nothing else is left.
#
#   tools/torture/run.sh kill [N]     N kills at random times (default 1,000)
#   tools/torture/run.sh calls        a kill at every system call, without and with an old file
#   tools/torture/run.sh errors       every system call fails: once, and from then on
#   tools/torture/run.sh order        data is synced before the rename, the directory after it
#   tools/torture/run.sh disk         a disk that is full at every size; a disk that is full only when synced (root)
#   tools/torture/run.sh limits       the file size limit is an error, not a signal
#   tools/torture/run.sh power [N]    N power cuts of a User-Mode Linux machine (default 100; root, linux.uml)
#   tools/torture/run.sh all          each of them with its default
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
build=$root/build/torture
work=$(mktemp -d "${TMPDIR:-/tmp}/penstock-torture-XXXXXX")
trap 'cd /; for m in "$work"/*/; do mountpoint -q "$m" && umount "$m"; done; rm -rf "$work"' EXIT
writer=$build/writer

die() { echo "torture: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing; apt-get install $2"; }
need_root() { [[ $(id -u) == 0 ]] || die "$1 needs root, to mount file systems"; }

build_writer() {
  mkdir -p "$build"
  local sources
  mapfile -t sources < <(ls penstock/{base,type,memory,store}/*.cc | grep -v -E '_(test|bench)\.cc$')
  local stamp=$writer$*  # one for each set of flags
  [[ -e $stamp.built && -z $(find penstock/{base,type,memory,store} tools/torture -newer "$stamp.built") ]] && return
  "${CXX:-g++}" -std=c++20 -O2 -g1 -I. "-DPENSTOCK_VERSION=\"$(cat VERSION)\"" "$@" tools/torture/writer.cc \
    "${sources[@]}" -pthread -o "$writer" || die "the writer does not compile"
  rm -f "$build"/*.built && touch "$stamp.built"
}

# The last generation that a writer's output acknowledges; 0 when none.
last() { local n; n=$(grep -aE '^[0-9]+$' "$1" | tail -n 1); echo "${n:-0}"; }
check() { # DIR LAST WHAT
  "$writer" verify "$1" "$2" || die "$3: the file is wrong"
  "$writer" clean "$1" || die "$3: files are left over"
}
fresh() { rm -rf "$work/d"; mkdir "$work/d"; [[ ${1:-} != old ]] || "$writer" write "$work/d" 1 process >/dev/null; }

torture_kill() {
  fresh
  local n acknowledged=0
  for ((n = 0; n < ${1:-1000}; n++)); do
    "$writer" write "$work/d" 0 "$([[ $((n % 2)) == 0 ]] && echo process || echo power)" >"$work/out" &
    local pid=$!
    sleep "0.0$((RANDOM % 40 + 10))"
    kill -9 $pid
    wait $pid 2>/dev/null
    local now; now=$(last "$work/out")
    ((now == 0)) || acknowledged=$now
    check "$work/d" "$acknowledged" "kill $n"
  done
  echo "kill: $n kills, $acknowledged generations, 0 torn, 0 lost"
}

# glibc makes renameat of a renameat2 without flags.
calls=(openat fstat newfstatat fallocate flock pwrite64 fdatasync close renameat renameat2 fsync)
count_calls() { # CALL MODE: how many the life of one write makes
  fresh "$2"
  strace -f -qq -e trace="$1" -o "$work/log" "$writer" write "$work/d" 1 power >/dev/null
  grep -c "$1(" "$work/log"
}

torture_calls() {
  need strace strace
  local call mode n total=0
  for mode in new old; do
    for call in "${calls[@]}"; do
      local times; times=$(count_calls "$call" $mode)
      for ((n = 1; n <= times; n++)); do
        fresh $mode
        { strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
          "$writer" write "$work/d" 1 power >"$work/out"; } 2>/dev/null
        local acknowledged; acknowledged=$(last "$work/out")
        [[ $mode == old && $acknowledged == 0 ]] && acknowledged=1
        check "$work/d" "$acknowledged" "kill at $call $n"
        total=$((total + 1))
      done
    done
  done
  echo "calls: $total kill points, 0 torn, 0 lost"
}

torture_errors() {
  need strace strace
  local call error when n total=0
  for call in fallocate flock pwrite64 fdatasync renameat fsync; do
    local times; times=$(count_calls $call old)
    for error in EIO ENOSPC EDQUOT EINTR EAGAIN EROFS EINVAL EOPNOTSUPP; do
      for ((n = 1; n <= times; n++)); do
        for when in "$n" "$n+"; do
          fresh old
          strace -f -qq -o /dev/null -e trace=$call -e inject="$call:error=$error:when=$when" \
            "$writer" write "$work/d" 1 power >"$work/out" 2>"$work/err"
          local status=$?
          local acknowledged; acknowledged=$(last "$work/out")
          ((status == 0 || status == 3)) || die "$call $when $error: exit status $status"
          ((status == 0)) || grep -q "$work/d/out.npy" "$work/err" || die "$call $when $error: $(cat "$work/err")"
          ((status == 0 && acknowledged != 2)) && die "$call $when $error: success without an acknowledgement"
          check "$work/d" $((acknowledged > 1 ? acknowledged : 1)) "$call $when $error"
          [[ $(ls -A "$work/d") == out.npy ]] || die "$call $when $error: left $(ls -A "$work/d")"
          total=$((total + 1))
        done
      done
    done
  done
  echo "errors: $total faults, 0 crashes, 0 leftovers, 0 silent losses"
}

torture_order() {
  need strace strace
  fresh old
  strace -f -qq -y -e trace=pwrite64,fdatasync,renameat,renameat2,fsync -o "$work/log" \
    "$writer" write "$work/d" 1 power >/dev/null
  local order; order=$(grep -oE '(pwrite64|fdatasync|renameat2?|fsync)\(' "$work/log" | tr -d '(' | uniq | tr '\n' ' ')
  [[ $order == "pwrite64 fdatasync renameat fsync " ]] || die "order is: $order"
  grep -q "fsync([0-9]*<$work/d>)" "$work/log" || die "the directory is not the one that is synced"
  echo "order: $order"
}

torture_disk() {
  need_root disk
  local k full=0 fits=0
  mkdir -p "$work/full"
  mount -t tmpfs -o size=1300k tmpfs "$work/full" || die "cannot mount a tmpfs"
  "$writer" write "$work/full" 1 process >/dev/null || die "the first generation does not fit"
  for ((k = 1300; k <= 2800; k += 4)); do
    mount -o remount,size=${k}k "$work/full"
    local before after
    before=$(od -An -td4 -j4096 -N4 "$work/full/out.npy")
    if "$writer" write "$work/full" 1 power >/dev/null 2>"$work/err"; then
      fits=$((fits + 1)) after=$((before + 1))
    else
      full=$((full + 1)) after=$before
      grep -q "No space left on device" "$work/err" || die "${k} KiB: $(cat "$work/err")"
    fi
    check "$work/full" "$after" "${k} KiB"
  done
  umount "$work/full"
  ((full > 100 && fits > 10)) || die "the sweep missed the edge: $full full, $fits fitted"
  echo "disk: $full times full, $fits times room enough, old file whole each time"
  torture_thin_disk
}

# ext4 on a loop device whose backing file finds no room: the error appears only when data is synced.
torture_thin_disk() {
  mkdir -p "$work/back" "$work/thin"
  mount -t tmpfs -o size=24m tmpfs "$work/back"
  truncate -s 128M "$work/back/image"
  mkfs.ext4 -q -F -E lazy_itable_init=0,nodiscard "$work/back/image"
  mount -o loop "$work/back/image" "$work/thin" || { echo "disk: no loop device, the thin disk is skipped"; return; }
  "$writer" write "$work/thin" 1 power >"$work/out" || die "thin disk: the first generation fails"
  dd if=/dev/zero of="$work/thin/filler" bs=1M count=21 conv=fsync status=none 2>/dev/null
  local n failed=0 acknowledged
  acknowledged=$(last "$work/out")
  for ((n = 0; n < 30; n++)); do
    "$writer" write "$work/thin" 1 power >"$work/out" 2>"$work/err" || failed=$((failed + 1))
    local now; now=$(last "$work/out")
    ((now == 0)) || acknowledged=$now
  done
  echo 3 >/proc/sys/vm/drop_caches
  "$writer" verify "$work/thin" "$acknowledged" || die "thin disk: an acknowledged generation is lost"
  umount "$work/thin"
  umount "$work/back"
  ((failed > 0)) || die "thin disk: it never ran out of room"
  echo "disk: thin disk, $failed of $n writes failed, every acknowledged one is whole"
}

torture_limits() {
  fresh old
  (ulimit -f 64; trap - XFSZ; exec "$writer" write "$work/d" 1 power) >"$work/out" 2>"$work/err"
  local status=$?
  ((status == 3)) || die "file size limit: exit status $status, expected 3"
  grep -q "file size limit" "$work/err" || die "file size limit: $(cat "$work/err")"
  check "$work/d" 1 "file size limit"
  echo "limits: $(cat "$work/err")"
}

# The guest's page cache is lost with it; its disk is an image. Writes already handed to the disk are not reordered.
torture_power() {
  need_root power
  need linux.uml user-mode-linux
  build_writer -static
  cat >"$work/init.sh" <<'X'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/d
mount -t ext4 /dev/ubda /mnt/d && echo STARTED
exec "$CUT_PROGRAM" write /mnt/d 0 power
X
  chmod +x "$work/init.sh"
  truncate -s 64M "$work/disk"
  mkfs.ext4 -q -F "$work/disk"
  mkdir -p "$work/m"
  local n acknowledged=0
  for ((n = 0; n < ${1:-100}; n++)); do
    : >"$work/out"
    setsid linux.uml mem=192M root=host rootfstype=hostfs rootflags=/ ro ubd0="$work/disk" CUT_PROGRAM="$writer" \
      init="$work/init.sh" con=null con0=fd:0,fd:1 </dev/null >"$work/out" 2>&1 &
    local pid=$! waited=0
    until grep -aq STARTED "$work/out" || ((waited++ > 300)); do sleep 0.1; done
    ((waited <= 300)) || die "the guest does not start: $(tail -n 5 "$work/out")"
    sleep "$((RANDOM % 2)).$((RANDOM % 10))"
    kill -9 -- -$pid
    wait $pid 2>/dev/null
    local now; now=$(tr -d '\r' <"$work/out" | grep -aE '^[0-9]+$' | tail -n 1)
    acknowledged=${now:-$acknowledged}
    mount -o loop "$work/disk" "$work/m" || die "cut $n: the disk does not mount"
    # The guest's process 1 has a living namesake here, so only age tells that its file is abandoned.
    find "$work/m" -name '.*.partial' -exec touch -d '1 minute ago' {} +
    check "$work/m" "$acknowledged" "cut $n"
    umount "$work/m"
  done
  echo "power: $n cuts, $acknowledged generations, 0 torn, 0 acknowledged ones lost"
}

verb=${1:-}
shift || true
case $verb in
  kill | calls | errors | order | disk | limits) build_writer; "torture_$verb" "$@" ;;
  power) torture_power "$@" ;;
  all)
    build_writer
    for each in order limits kill calls errors disk; do "torture_$each"; done
    torture_power
    ;;
  *) sed -n '3,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
