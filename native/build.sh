#!/bin/sh
# native/build.sh BUILD_FOLDER [JNI_SOURCES CLASSES_FOLDER JDK]
#
# Builds libkfac_cuda (where nvcc is found), its CPU emulation, the stand-ins for the CUDA libraries and the tests
# into BUILD_FOLDER; with the other arguments also the JNI glue, and installs everything that Java loads into
# CLASSES_FOLDER. Without nvcc only the emulation is built; without a C++ compiler nothing is, which is no error.
# KFAC_NATIVE_JOBS limits the parallel jobs; KFAC_NATIVE_CMAKE adds arguments for cmake.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: build.sh BUILD_FOLDER [JNI_SOURCES CLASSES_FOLDER JDK]}
jni=${2:-} classes=${3:-} jdk=${4:-}

for tool in cmake c++; do
  command -v "$tool" >/dev/null 2>&1 || {
    echo "[native] skipped: no $tool on the PATH; everything but CUDA builds and works without it"
    exit 0
  }
done
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
[ -n "$nvcc" ] || echo "[native] no nvcc: only the emulated kernels are built, for the tests; CUDA is not available"
if command -v ninja >/dev/null 2>&1; then generator=Ninja; else generator="Unix Makefiles"; fi

# A cache that was configured with other tools or paths must not survive.
key="$generator $nvcc $(c++ -dumpfullversion) $here $jni $jdk ${KFAC_NATIVE_CMAKE:-}"
[ "$(cat "$build/.key" 2>/dev/null || true)" = "$key" ] || rm -rf "$build"
mkdir -p "$build"
printf %s "$key" > "$build/.key"

cmake -S "$here" -B "$build" -G "$generator" ${nvcc:+"-DCMAKE_CUDA_COMPILER=$nvcc"} -DKFAC_JNI_SOURCES="$jni" \
  -DKFAC_JDK="$jdk" ${classes:+"-DCMAKE_INSTALL_PREFIX=$classes"} ${KFAC_NATIVE_CMAKE:-} \
  > "$build/configure.log" 2>&1 || { grep -A6 "CMake Error" "$build/configure.log"; exit 1; }
cmake --build "$build" --parallel "${KFAC_NATIVE_JOBS:-2}" ${classes:+--target install} > "$build/build.log" 2>&1 || {
  grep -E 'error|warning|FAILED|spill' "$build/build.log" | grep -v ' 0 bytes spill stores, 0 bytes' | head -20
  exit 1
}
echo "[native] built ${nvcc:+libkfac_cuda, }the emulation and the tests in $build"
