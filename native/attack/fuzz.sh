#!/bin/sh
# native/attack/fuzz.sh [SECONDS [CORPUS_FOLDER]]   libFuzzer on libkfac_cpu under AddressSanitizer and UBSan, with clang
#
# Runs from the corpus in attack/corpus; what it finds anew goes to CORPUS_FOLDER, a crash to the folder it is run in.
# KFAC_CLANG names the compiler. The portable instruction set alone: the others are the same templates, wider.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seconds=${1:-60} found=${2:-$(mktemp -d)}
clang=${KFAC_CLANG:-$(command -v clang++ || command -v clang++-14 || true)}
[ -n "$clang" ] || { echo "skipped: no clang++ on the PATH"; exit 0; }
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
for source in dot invert multiply accumulate verbs; do echo "#include \"$source.cpp\""; done > "$build/all.cpp"
flags="-std=gnu++20 -O1 -g -I$here/../cpu -I$here/../include -fno-omit-frame-pointer -fno-sanitize-recover=all"
checks="-fsanitize=address,undefined"
"$clang" $flags $checks -fsanitize=fuzzer-no-link -DKFAC_ISA=portable -DKFAC_WIDTH=4 -c "$build/all.cpp" -o "$build/all.o"
"$clang" $flags $checks -fsanitize=fuzzer-no-link -c "$here/../cpu/api.cpp" -o "$build/api.o"
"$clang" $flags $checks -fsanitize=fuzzer "$here/patch_fuzz.cpp" "$build/all.o" "$build/api.o" -o "$build/patch_fuzz"
mkdir -p "$found"
"$build/patch_fuzz" -max_total_time="$seconds" -max_len=256 -print_final_stats=1 "$found" "$here/corpus"
