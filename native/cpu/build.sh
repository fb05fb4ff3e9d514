#!/bin/sh
# native/cpu/build.sh BUILD_FOLDER                           libkfac_cpu and its tests, for ctest
# native/cpu/build.sh BUILD_FOLDER GLUE CLASSES_FOLDER JDK   what Java loads, without the tests
#
# GLUE is a folder of JavaCPP's jni*.cpp; library and glue are installed into CLASSES_FOLDER. Without cmake or a C++
# compiler nothing is built, which is no error: the CPU backend then works on OpenBLAS alone.
# KFAC_NATIVE_JOBS limits the parallel jobs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: build.sh BUILD_FOLDER [GLUE CLASSES_FOLDER JDK]}
glue=${2:-} classes=${3:-} jdk=${4:-}

for tool in cmake c++; do
  command -v "$tool" >/dev/null 2>&1 || {
    echo "[native/cpu] skipped: no $tool on the PATH; the CPU backend will use OpenBLAS alone"
    exit 0
  }
done
if command -v ninja >/dev/null 2>&1; then generator=Ninja; else generator="Unix Makefiles"; fi

# A cache that was configured with other tools must not survive.
key="$generator $(c++ -dumpfullversion) $here $jdk"
[ "$(cat "$build/.key" 2>/dev/null || true)" = "$key" ] || rm -rf "${build:?}"
mkdir -p "$build"
printf %s "$key" > "$build/.key"

# JavaCPP writes the glue anew each time; an unchanged one is not compiled again.
if [ -n "$glue" ]; then
  mkdir -p "$build/glue"
  for source in "$glue"/*.cpp; do
    cmp -s "$source" "$build/glue/${source##*/}" || cp "$source" "$build/glue/"
  done
fi
cmake -S "$here" -B "$build" -G "$generator" -DKFAC_TESTS="$([ -n "$glue" ] && echo OFF || echo ON)" \
  ${glue:+"-DKFAC_GLUE=$build/glue" "-DKFAC_JDK=$jdk" "-DCMAKE_INSTALL_PREFIX=$classes"} \
  > "$build/configure.log" 2>&1 || { grep -A6 "CMake Error" "$build/configure.log"; exit 1; }
cmake --build "$build" --parallel "${KFAC_NATIVE_JOBS:-2}" ${glue:+--target install} > "$build/build.log" 2>&1 || {
  grep -E 'error|warning|FAILED' "$build/build.log" | head -20
  exit 1
}
echo "[native/cpu] built libkfac_cpu$([ -n "$glue" ] || echo ' and its tests in' "$build")"
