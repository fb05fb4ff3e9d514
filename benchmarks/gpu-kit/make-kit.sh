#!/bin/sh
# benchmarks/gpu-kit/make-kit.sh KIT_FOLDER JARS JDK
#
# Puts the GPU kit together: a small Java runtime, the jars, the GPU tests, the kernels with their own test, the Python
# peers and run.sh; then packs it as KIT_FOLDER.tar.xz, at most 40 MiB. Run by mvn -Pgpu-kit package.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kit=$1 jars=$2 jdk=$3
cuda=$root/java/cuda/target
natives=io/github/kfac4j/cuda/natives/linux-x86_64

grep -q '^built libkfac_cuda' "$cuda/classes/$natives/built.txt" || {
  echo "the GPU kit needs the kernels: $(cat "$cuda/classes/$natives/built.txt")" >&2
  exit 1
}
rm -rf "$kit"
mkdir -p "$kit/lib" "$kit/natives/$natives" "$kit/compat" "$kit/benchmarks"

modules=java.base,java.instrument,java.logging,java.management,java.sql,java.xml,jdk.jfr,jdk.management
modules=$modules,jdk.unsupported,jdk.zipfs  # without jdk.zipfs JUnit finds no tests in jars
# Nothing in it is compressed: xz does that better in one piece.
"$jdk/bin/jlink" --add-modules "$modules" --strip-debug --no-header-files --no-man-pages --vm=server \
  --output "$kit/runtime"

# What runtimes and kernels need from a system that a bare one may lack. run.sh takes only what is missing there.
for library in libz.so.1 libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$(c++ -print-file-name="$library")" "$kit/compat/"
done
toolkit=$(sed -n 's/^set(CMAKE_CUDA_COMPILER_TOOLKIT_ROOT "\(.*\)")$/\1/p' "$cuda"/native/CMakeFiles/*/CMakeCUDACompiler.cmake)
cp -L "$toolkit/lib64/libcudart.so.13" "$kit/compat/"

for jar in "$jars"/*.jar; do
  mkdir "$kit/jar"
  (cd "$kit/jar" && "$jdk/bin/jar" xf "$jar" && "$jdk/bin/jar" cfM0 "$kit/lib/$(basename "$jar")" .)
  rm -rf "$kit/jar"
done
for module in cuda nccl; do
  (cd "$root/java/$module/target/test-classes" && "$jdk/bin/jar" cfM0 "$kit/lib/kfac-$module-tests.jar" .)
done

# The natives lie open, so that Java and kernel_test share them.
cmake --build "$cuda/native" --target kernel_test profile > "$cuda/native/kernel_test.log" 2>&1 || {
  grep -E 'error|warning' "$cuda/native/kernel_test.log" >&2
  exit 1
}
cp "$cuda/classes/$natives"/* "$cuda/native/kernel_test" "$cuda/native/profile" "$kit/natives/$natives/"
strip "$kit/natives/$natives/kernel_test" "$kit/natives/$natives/profile"

cp -r "$root/benchmarks/peers" "$root/benchmarks/cases.json" "$kit/benchmarks/"
rm -rf "$kit/benchmarks/peers/__pycache__"
cp "$here/run.sh" "$kit/"
git -C "$root" describe --always --dirty --exclude='*' > "$kit/commit" 2>/dev/null || echo unknown > "$kit/commit"

tar -C "$(dirname "$kit")" -cJf "$kit.tar.xz" "$(basename "$kit")"
size=$(stat -c %s "$kit.tar.xz")
echo "[gpu-kit] $kit.tar.xz, $((size / 1048576)) MiB"
[ "$size" -le $((40 * 1048576)) ] || { echo "more than 40 MiB" >&2; exit 1; }
