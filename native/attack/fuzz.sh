#!/bin/sh
# native/attack/fuzz.sh TARGET [SECONDS [CORPUS_FOLDER]]   libFuzzer under AddressSanitizer and UBSan, with clang
#
# TARGET: patch (moments of patches of libkfac_cpu), verbs (its other verbs), cuda (all verbs of libkfac_cuda, emulated).
# With 0 seconds the corpus in attack/corpus is run once. What is found anew goes to CORPUS_FOLDER, a crash to the folder
# that it is run in. KFAC_CLANG names the compiler. Of libkfac_cpu the portable instruction set alone: the others are the
# same templates, wider.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:?usage: fuzz.sh patch|verbs|cuda [SECONDS [CORPUS_FOLDER]]} seconds=${2:-60} found=${3:-}
clang=${KFAC_CLANG:-$(command -v clang++ || command -v clang++-14 || true)}
[ -n "$clang" ] || { echo "skipped: no clang++ on the PATH"; exit 0; }
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
optimise=-O1
[ "$target" != cuda ] || optimise=-O0  # clang takes hours over kernels that are unrolled and sanitized
compile() { "$clang" -std=gnu++20 $optimise -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined \
  -fsanitize=fuzzer-no-link -I"$here/../include" "$@"; }

if [ "$target" = cuda ]; then
  half=  # clang before 15 has no _Float16 on x86, but its storage
  echo '_Float16 h;' | "$clang" -x c++ -fsyntax-only - 2>/dev/null ||
    half="-D_Float16=__fp16 -mf16c -Xclang -fallow-half-arguments-and-returns"
  for source in "$here"/../cuda/*.cu "$here"/../cuda/check*.cpp "$here"/../emu/fake_cudart.cpp "$here"/../emu/fake_stream.cpp; do
    compile $half -DCUDA_EMU '-DKFAC_BUILD="fuzzed"' -I"$here/../emu" -I"$here/../cuda" -Wno-unknown-pragmas \
      -x c++ -c "$source" -o "$build/$(basename "$source").o"
  done
else
  for source in dot invert multiply accumulate verbs; do echo "#include \"$source.cpp\""; done > "$build/all.cpp"
  compile -I"$here/../cpu" -DKFAC_ISA=portable -DKFAC_WIDTH=4 -c "$build/all.cpp" -o "$build/all.o"
  compile -I"$here/../cpu" -c "$here/../cpu/api.cpp" -o "$build/api.o"
fi
compile -fsanitize=fuzzer "$here/${target}_fuzz.cpp" "$build"/*.o -ldl -lpthread -o "$build/fuzz"
export ASAN_OPTIONS=detect_stack_use_after_return=0
if [ "$seconds" = 0 ]; then
  "$build/fuzz" -runs=0 "$here/corpus/$target"
else
  [ -n "$found" ] || found=$(mktemp -d)
  mkdir -p "$found"
  "$build/fuzz" -max_total_time="$seconds" -max_len=256 -print_final_stats=1 "$found" "$here/corpus/$target"
fi
