#!/bin/sh
# native/build.sh BUILD_FOLDER                           everything: libraries and their tests, for ctest
# native/build.sh BUILD_FOLDER GLUE CLASSES_FOLDER JDK   what Java loads, without the tests
#
# Builds libkfac_cuda (where nvcc is found), its CPU emulation and the stand-ins for the CUDA libraries; with GLUE, a
# folder of JavaCPP's jni*.cpp, also the JNI glue. What a release holds is then installed into CLASSES_FOLDER, what
# only tests may load into BUILD_FOLDER/java. Without nvcc the release part is empty; without a C++ compiler nothing is
# built, which is no error. CLASSES_FOLDER/.../built.txt says in one line what was built and why not more.
# KFAC_NATIVE_JOBS limits the parallel jobs; KFAC_NATIVE_CMAKE adds arguments for cmake; KFAC_NVCC names the nvcc to
# use, if empty none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: build.sh BUILD_FOLDER [GLUE CLASSES_FOLDER JDK]}
glue=${2:-} classes=${3:-} jdk=${4:-}
platform=io/github/kfac4j/cuda/natives/linux-x86_64

say() {
  echo "[native] $1"
  [ -z "$classes" ] || { mkdir -p "$classes/$platform" && echo "$1" > "$classes/$platform/built.txt"; }
}
for tool in cmake c++; do
  command -v "$tool" >/dev/null 2>&1 || {
    [ -z "$classes" ] || rm -rf "${build:?}" "$classes/$platform"
    say "skipped: no $tool on the PATH; everything but CUDA builds and works without it, the tests of CUDA are skipped"
    exit 0
  }
done
nvcc=${KFAC_NVCC-$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)}
if command -v ninja >/dev/null 2>&1; then generator=Ninja; else generator="Unix Makefiles"; fi

# A cache that was configured with other tools must not survive.
key="$generator $nvcc $(c++ -dumpfullversion) $here ${KFAC_NATIVE_CMAKE:-}"
[ "$(cat "$build/.key" 2>/dev/null || true)" = "$key" ] || rm -rf "${build:?}"
mkdir -p "$build"
printf %s "$key" > "$build/.key"

# JavaCPP writes the glue anew each time; an unchanged one is not compiled again.
if [ -n "$glue" ]; then
  mkdir -p "$build/glue"
  find "$glue" -name 'jni*.cpp' | while read -r source; do
    copy="$build/glue/$(basename "$source")"
    cmp -s "$source" "$copy" || cp "$source" "$copy"
  done
  glue=$build/glue
fi

cmake -S "$here" -B "$build" -G "$generator" "-DCMAKE_CUDA_COMPILER=${nvcc:-NOTFOUND}" -DKFAC_GLUE="$glue" \
  -DKFAC_JDK="$jdk" ${KFAC_NATIVE_CMAKE:-} > "$build/configure.log" 2>&1 || {
  grep -A6 "CMake Error" "$build/configure.log"
  exit 1
}
cmake --build "$build" --parallel "${KFAC_NATIVE_JOBS:-2}" --target "$([ -n "$classes" ] && echo java || echo all)" \
  > "$build/build.log" 2>&1 || {
  grep -E 'error|warning|FAILED|spill' "$build/build.log" | grep -v ' 0 bytes spill stores, 0 bytes' | head -20
  exit 1
}
if [ -n "$classes" ]; then
  rm -rf "$classes/$platform" "$build/java"
  cmake --install "$build" --component release --prefix "$classes" > "$build/install.log"
  cmake --install "$build" --component tests --prefix "$build/java" >> "$build/install.log"
fi
if [ -n "$nvcc" ]; then
  say "built libkfac_cuda and its emulation with $("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/CUDA \1/p')"
else
  say "no nvcc: only the emulated kernels were built, for the tests; CUDA is not available"
fi
