#!/bin/sh
# native/attack/processors.sh BUILD_FOLDER   the tests of libkfac_cpu on processors with AVX-512, AVX2 only, and neither
#
# BUILD_FOLDER is that of native/cpu/build.sh. Processors without a set are emulated by qemu-user (Debian's qemu-user), which
# refuses what such a processor would; its own emulator has AVX2 but no AVX-512, so that runs where the processor has it.
set -eu
build=${1:?usage: processors.sh BUILD_FOLDER}
test=$(find "$build" -name kfac_cpu_test -type f | head -1)
[ -n "$test" ] || { echo "first: native/cpu/build.sh $build"; exit 2; }
run() {  # set, then the command
  set_=$1; shift
  said=$("$@") || { echo "$said" | tail -20; echo "FAULT on a processor with $set_"; exit 1; }
  echo "$said" | grep -q "$set_" || { echo "$said" | head -3; echo "FAULT: not $set_"; exit 1; }
  echo "$set_: passed"
}
if command -v qemu-x86_64 > /dev/null; then
  run portable qemu-x86_64 -cpu Nehalem "$test"
  run avx2 qemu-x86_64 -cpu Haswell "$test"
else
  echo "left out: no qemu-x86_64 on the PATH"
fi
if grep -qw avx512f /proc/cpuinfo; then run avx512 "$test"; else echo "left out: this processor has no AVX-512"; fi
