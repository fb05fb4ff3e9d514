#!/bin/bash
# benchmarks/gpu-kit/try-kit.sh KIT_FOLDER [all]
#
# Tries the packed kit where there is no GPU: unpacked elsewhere and without any environment it must start, say why CUDA
# cannot be used, and refuse every other command in one line with exit code 3. With "all" then the scripts themselves:
# every command against stand-ins of CUDA and the emulated kernels, which takes some minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
native=$(cd "$here/../../java/cuda/target/native" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$work" -xJf "$1.tar.xz"
kit=$work/$(basename "$1")

fail() { echo "[gpu-kit] $1" >&2; shift; for f in "$@"; do tail -n 20 "$f" >&2; done; exit 1; }
# try NAME EXIT_CODE COMMAND...: what it prints goes to $work/NAME
try() {
  local name=$1 wanted=$2 code=0
  shift 2
  env -i OUT="$work/out" TMPDIR="$work" "${extra[@]}" "$kit/run.sh" "$@" > "$work/$name" 2>&1 || code=$?
  [ $code = "$wanted" ] || fail "run.sh $*: exit $code, expected $wanted" "$work/$name"
}

if command -v nvidia-smi > /dev/null && nvidia-smi -L > /dev/null 2>&1; then
  echo "[gpu-kit] this machine has a GPU: use run.sh itself"
  exit 0
fi
extra=()
try info 0 info
grep -q '^CUDA       cannot be used: .*driver' "$work/info" || fail "info does not say why" "$work/info"
for command in kernels headline profile sanitize test validate accuracy bench; do
  try $command 3 $command
  [ "$(wc -l < "$work/$command")" = 1 ] || fail "$command: more than one line" "$work/$command"
  grep -q "^run.sh $command: CUDA cannot be used: .*driver" "$work/$command" || fail "$command" "$work/$command"
done
try usage 2 nonsense
echo "[gpu-kit] starts without Java and says why CUDA cannot be used: $(sed -n 's/^CUDA *cannot be used: //p' "$work/info")"
[ "${2:-}" = all ] || exit 0

cmake --build "$native" --target kernel_test_emu profile_emu > "$work/build" 2>&1 || fail "the emulation" "$work/build"
mkdir "$work/bin"
cat > "$work/bin/compute-sanitizer" <<'END'
#!/bin/sh
shift 6
"$@" && echo "========= ERROR SUMMARY: 0 errors"
END
cat > "$work/bin/ncu" <<'END'
#!/bin/sh
while [ "$1" != --export ]; do shift; done
echo "no report" > "$2.ncu-rep"
END
cat > "$work/bin/nvidia-smi" <<'END'
#!/bin/sh
echo "no GPU, $1"
END
chmod +x "$work/bin"/*
extra=("KFAC_KIT_EMULATION=$native" "PATH=$work/bin:/usr/bin:/bin")
try info 0 info
grep -q '^CUDA       can be used' "$work/info" || fail "the stand-ins are not found" "$work/info"
try kernels_wrong 1 kernels no_such_test
try kernels_late 4 kernels --minutes 0
try all 0 all --minutes "${KFAC_TRY_MINUTES:-8}"
(cd "$work/out" && tar xf all.tar --one-top-level=parts)
for file in "$work"/out/*.json "$work"/out/parts/*.json; do
  python3 -m json.tool "$file" > /dev/null || fail "not JSON" "$file"
done
[ "$(wc -c < "$work/all")" -le 12000 ] || fail "more than 12,000 characters for the terminal" "$work/all"
rm -r "$work/out/parts"
[ "$(find "$work/out" -type f | wc -l)" -le 8 ] || fail "more than eight files of results"
sed -n '/^--- all/,$p' "$work/all"
echo "[gpu-kit] all commands run on stand-ins of CUDA"
