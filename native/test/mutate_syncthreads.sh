#!/bin/bash
# native/test/mutate_syncthreads.sh [FILE ...]
#
# Removes each barrier from the kernels in turn and expects a test to fail: a barrier that no test misses is either
# not needed or not tested. Works on a copy, in the CPU emulation, under several schedules of the threads.
# FILE: kernel sources as named in native/cuda (default: all that hold a barrier). KFAC_SCHEDULES: see emu/block.h.
set -euo pipefail
native=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$native/include" "$native/cuda" "$native/emu" "$native/test" "$work"
cd "$work"
barrier='(__syncthreads|__syncwarp|Team::sync)\(\)'
flags=(-std=c++20 -O1 -DCUDA_EMU '-DKFAC_BUILD="mutant"' -Iinclude -Icuda -Iemu -w -x c++)
schedules=(${KFAC_SCHEDULES:-forward rev rand:1})

# The translation units that a source ends up in, and the tests that run its kernels.
affected() {
  case $1 in
    tile.cuh) echo "accumulate.cu invert.cu precondition.cu" ;;
    mirror.cuh) echo "accumulate.cu invert.cu pack.cu" ;;
    parts.cuh) echo "precondition.cu divide.cu" ;;
    reduce.cuh) echo "precondition.cu divide.cu trace.cu kl_clip.cu" ;;
    invert_*.cuh) echo invert.cu ;;
    *) echo "$1" ;;
  esac
}
tests() {
  case $1 in
    tile.cuh) echo "accumulate precondition" ;;
    mirror.cuh) echo "accumulate_many pack" ;;
    reduce.cuh) echo "trace kl_clip" ;;
    invert_*.cuh) echo invert ;;
    *) echo "${1%.cu}" ;;
  esac
}
compile() { g++ "${flags[@]}" -c "$1" -o "objects/$(basename "$1").o"; }
compile_all() {
  local started=0 unit
  for unit in "$@"; do
    compile "$unit" &
    ((++started % ${KFAC_NATIVE_JOBS:-2})) || wait
  done
  wait
}
link() { g++ objects/*.o -o kernel_test; }

mkdir objects
compile_all cuda/*.cu cuda/*.cpp test/*.cpp
link
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(cd cuda && grep -lE "$barrier" -- *.cu *.cuh)
removed=0 survived=0
for file in "${files[@]}"; do
  cp "cuda/$file" original
  mapfile -t lines < <(grep -nE "$barrier" original | cut -d: -f1)
  for line in "${lines[@]}"; do
    sed -E "${line}s/$barrier/(void)0/" original > "cuda/$file"
    for unit in $(affected "$file"); do compile "cuda/$unit"; done
    link
    verdict=SURVIVED
    for schedule in "${schedules[@]}"; do
      CUDA_EMU_ORDER=$schedule timeout 300 ./kernel_test $(tests "$file") > log 2>&1 || { verdict="found ($schedule)"; break; }
    done
    echo "$file:$line $(sed -n "${line}p" original | sed -E 's/^ +//; s/ *\/\/.*//'): $verdict"
    removed=$((removed + 1))
    [ "$verdict" != SURVIVED ] || survived=$((survived + 1))
  done
  cp original "cuda/$file"
  for unit in $(affected "$file"); do compile "cuda/$unit"; done
done
link
./kernel_test $(for file in "${files[@]}"; do tests "$file"; done) > log || { cat log; echo "the unchanged kernels fail"; exit 1; }
echo "$removed barriers removed, $survived survived"
[ "$survived" = 0 ]
