#!/bin/bash
# native/test/mutate_syncthreads.sh [FILE ...]
#
# Removes each barrier, and each wait for copies, from the kernels in turn and expects every group of tests that runs kernels with this barrier to
# fail: a barrier that no test misses is either not needed or not tested. Works on a copy, in the CPU emulation, under
# several schedules of the threads. A vote that is also a barrier is replaced by the thread's own vote.
# FILE: kernel sources as named in native/cuda (default: all that hold a barrier). KFAC_SCHEDULES: see emu/block.h.
set -euo pipefail
native=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$native/include" "$native/cuda" "$native/emu" "$native/test" "$work"
cd "$work"
barrier='(__syncthreads|__syncwarp|Team::sync|wait_copies<[^>]*>)\(\)' vote='(__syncthreads_and|__all_sync)\('
flags=(-std=c++20 -O1 -DCUDA_EMU '-DKFAC_BUILD="mutant"' -Iinclude -Icuda -Iemu -w -x c++)
schedules=(${KFAC_SCHEDULES:-forward rev rand:1})

# The translation units that a source ends up in.
affected() {
  case $1 in
    tile.cuh) echo accumulate.cu invert.cu precondition.cu ;;
    accumulate_gathered.cuh) echo accumulate.cu ;;
    product.cuh | planes.cuh) echo accumulate_planes.cu precondition.cu invert.cu ;;
    mirror.cuh) echo accumulate.cu accumulate_planes.cu invert.cu mirror.cu ;;
    parts.cuh) echo precondition.cu divide.cu ;;
    reduce.cuh) echo precondition.cu divide.cu traces.cu squared_norms.cu eigen_check.cu inverse_error.cu jacobi.cu ;;
    invert_*.cuh) echo invert.cu ;;
    *) echo "$1" ;;
  esac
}
# The tests that run its kernels: one group for each kernel, or for each policy of a kernel.
groups() {
  case $1 in
    tile.cuh) echo accumulate_matrices accumulate_few precondition_shapes \
      invert_ill_conditioned_large ;;
    accumulate_gathered.cuh) echo accumulate_matrices accumulate_few ;;
    accumulate_planes.cu) echo accumulate_windows ;;
    product.cuh) echo accumulate_matrices accumulate_windows accumulate_in_place precondition_shapes \
      precondition_large_tiles accumulate_shifts invert_ill_conditioned_large ;;
    planes.cuh) echo accumulate_extreme ;;
    mirror.cuh) echo accumulate_many damp invert_all_sizes ;;
    reduce.cuh) echo precondition_shapes divide traces squared_norms eigen_check inverse_error_of_the_traces jacobi ;;
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
compile_affected() { for unit in $(affected "$1"); do compile "cuda/$unit"; done; }
link() { g++ objects/*.o -o kernel_test; }
# Which schedule makes this group fail; fails itself if none does.
found() {
  local schedule
  for schedule in "${schedules[@]}"; do
    CUDA_EMU_ORDER=$schedule timeout 300 ./kernel_test "$1" > log 2>&1 || { echo "$1 fails ($schedule)"; return; }
  done
  echo "$1 SURVIVED"
  return 1
}

mkdir objects
compile_all cuda/*.cu cuda/*.cpp test/*_test.cpp emu/fake_cudart.cpp emu/fake_stream.cpp
link
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(cd cuda && grep -lE "$barrier|$vote" -- *.cu *.cuh)
removed=0 survived=0
for file in "${files[@]}"; do
  cp "cuda/$file" original
  mapfile -t lines < <(grep -nE "$barrier|$vote" original | cut -d: -f1)
  for line in "${lines[@]}"; do
    sed -E "${line}s/$barrier/(void)0/; ${line}s/__syncthreads_and\(/bool(/; ${line}s/__all_sync\(~0u, /bool(/" original > "cuda/$file"
    compile_affected "$file"
    link
    verdicts=()
    for group in $(groups "$file"); do
      verdicts+=("$(found "$group")") || survived=$((survived + 1))
    done
    echo "$file:$line $(sed -n "${line}p" original | sed -E 's/^ +//; s/ *\/\/.*//'): $(IFS=,; echo "${verdicts[*]}" | sed 's/,/, /g')"
    removed=$((removed + 1))
  done
  cp original "cuda/$file"
  compile_affected "$file"
done
link
./kernel_test $(for file in "${files[@]}"; do groups "$file"; done) > log || { cat log; echo "the unchanged kernels fail"; exit 1; }
echo "$removed barriers removed, $survived survivals"
[ "$survived" = 0 ]
