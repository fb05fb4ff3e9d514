#!/bin/sh
# GPU kit of kfac4j: the CUDA backend on this machine. Needs an NVIDIA driver and the libraries of CUDA 13; no Java.
#
#   ./run.sh info                     GPU, driver, libraries; whether CUDA can be used and, if not, why
#   ./run.sh kernels [GROUP...]       tests of the kernels, plain C++
#   ./run.sh sanitize [TOOL...]       the same under compute-sanitizer: memcheck racecheck initcheck synccheck
#   ./run.sh test [JUNIT OPTION...]   tests of the CUDA backend
#   ./run.sh validate [OPTION...]     every verb against the fp64 oracle: error, tolerance, verdict; --small, --large
#   ./run.sh bench [OPTION...]        our backend beside the peers that this machine's python3 has, about ten minutes;
#                                     goes on where a bench.json in $OUT ends
#
# Each command leaves COMMAND.json (and test its test*.xml) in $OUT, default ./out.
# Exit: 0 good, 1 something failed, 2 wrong usage, 3 CUDA cannot be used here.
# CUDA_LIB: folder of libcublas.so.13 if it is not found. PYTHON: the interpreter for the peers.
set -u
kit=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$PWD/out}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kfac-gpu-kit.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
natives=$kit/natives/io/github/kfac4j/cuda/natives/linux-x86_64
kernel_test=$natives/kernel_test
classes=$kit/natives:$kit/lib/*
java_options=
emulated=false

# Libraries: the driver, then the first folder that has the whole toolkit (two cuBLAS must not mix), then what is
# missing on this system.
libraries=
add() { libraries=${libraries:+$libraries:}$1; }
for folder in /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib/wsl/lib; do
  [ -e "$folder/libcuda.so.1" ] && { add "$folder"; break; }
done
wheels=$(python3 -c 'import sys, os
print(next((d for d in (os.path.join(p, "nvidia/cu13/lib") for p in sys.path) if os.path.isdir(d)), ""))' 2>/dev/null)
toolkit=
for folder in ${CUDA_LIB:-} /usr/local/cuda/lib64 /usr/local/cuda-13*/lib64 $wheels; do
  [ -e "$folder/libcublas.so.13" ] && [ -e "$folder/libcusolver.so.12" ] && { toolkit=$folder; break; }
done
[ -n "$toolkit" ] && add "$toolkit"
for library in libz.so.1 libstdc++.so.6 libgcc_s.so.1 libcudart.so.13; do
  for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /lib64 ${toolkit:-/usr/lib64}; do
    [ -e "$folder/$library" ] && continue 2
  done
  mkdir -p "$tmp/compat" && ln -s "$kit/compat/$library" "$tmp/compat/"
done
[ -d "$tmp/compat" ] && add "$tmp/compat"

# For trying the kit itself without a GPU, see try-kit.sh: stand-ins of CUDA and emulated kernels. Never a GPU result.
if [ -n "${KFAC_KIT_EMULATION:-}" ]; then
  emulated=true
  libraries=$KFAC_KIT_EMULATION/fake
  kernel_test=$KFAC_KIT_EMULATION/emu/kernel_test_emu
  java_options="-Dio.github.kfac4j.cuda.emulation=true -Dorg.bytedeco.javacpp.platform.linkpath=$KFAC_KIT_EMULATION/fake"
  classes=$KFAC_KIT_EMULATION/java:$classes
fi
users_libraries=${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH="$libraries${users_libraries:+:$users_libraries}"
export KFAC_COMMIT="$(cat "$kit/commit")"
unset LD_BIND_NOW JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS

java() {
  "$kit/runtime/bin/java" -Dorg.bytedeco.javacpp.cachedir="$tmp/javacpp" -Djava.io.tmpdir="$tmp" \
    -Dkfac.commit="$(cat "$kit/commit")" $java_options -cp "$classes" "$@"
}
kfac() { java io.github.kfac4j.cli.KfacCommand "$@"; }
has() { command -v "$1" >/dev/null 2>&1; }
gpu() { has nvidia-smi && nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }
version_of() { [ -n "$toolkit" ] && basename "$(readlink -f "$toolkit/$1")"; }

# Why CUDA cannot be used; nothing if it can.
unusable() { kfac info 2>&1 | sed -n 's/^backend  cuda *not available: //p'; }
refuse() {
  echo "run.sh $command: CUDA cannot be used: $1" >&2
  [ "$command" != bench ] || exit 3  # bench.json holds results only
  finish 3 "\"reason\": $(quote "$1"),"
}
quote() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# finish EXIT_CODE [FIELDS]: writes $command.json and ends.
finish() {
  cat > "$out/$command.json" <<END
{
  "command": "$command", "exit": $1, "seconds": $(($(date +%s) - started)),
  "created": "$(date -u +%Y-%m-%dT%H:%M:%SZ)", "commit": "$(cat "$kit/commit")",
  "gpu": $(quote "$(gpu name)"), "driver": $(quote "$(gpu driver_version)"),
  "memory": $(quote "$(gpu memory.total)"), "computeCapability": $(quote "$(gpu compute_cap)"),
  "libraries": {"path": $(quote "$libraries"), "cublas": $(quote "$(version_of libcublas.so.13)"),
    "cusolver": $(quote "$(version_of libcusolver.so.12)")},
  ${2:-}
  "emulated": $emulated
}
END
  exit "$1"
}
# Runs a command, shows what it prints and keeps it in $tmp/log; its exit code goes to $code.
logged() {
  { "$@" 2>&1; echo $? > "$tmp/code"; } | tee -a "$tmp/log"
  code=$(cat "$tmp/code")
}

info() {
  report=$(kfac info --json 2>"$tmp/error") || { cat "$tmp/error" >&2; finish 1; }
  reason=$(unusable)
  name=$(gpu name)
  echo "GPU        ${name:-nvidia-smi shows none} $(gpu memory.total)"
  echo "driver     $(gpu driver_version)"
  echo "toolkit    ${toolkit:-no folder with libcublas.so.13 and libcusolver.so.12; set CUDA_LIB}"
  echo "libraries  $libraries"
  echo "commit     $(cat "$kit/commit")"
  if [ -n "$reason" ]; then echo "CUDA       cannot be used: $reason"; else echo "CUDA       can be used"; fi
  finish 0 "\"usable\": $([ -z "$reason" ] && echo true || echo false), \"reason\": $(quote "$reason"), \"info\": $report,"
}

# From the lines that kernel_test prints: {"name": ..., "ok": ...} with what it said about the failure.
tests_of() {
  awk '/^(ok  |FAIL) [a-z]/ {
         printf "%s{\"name\": \"%s\", \"ok\": %s, \"said\": \"%s\"}", n++ ? ", " : "", $2, $1 == "ok" ? "true" : "false", said
         said = "" }
       /^  / { gsub(/[\\"\t]/, " "); if (length(said) < 600) said = said $0 ";" }' "$1"
}
probe() {
  "$kernel_test" view > "$tmp/probe" 2>&1
  [ $? -ne 77 ] || refuse "$(sed -n 's/^no usable device: //p' "$tmp/probe")"
}
kernels() {
  probe
  logged "$kernel_test" "$@"
  [ "$code" -eq 0 ] && result=0 || result=1
  finish $result "\"code\": $code, \"tests\": [$(tests_of "$tmp/log")],"
}

# Without the arrays of many gigabytes of the group "offsets", and without what needs no GPU.
groups="accumulate api invert patches precondition pack transpose trace factored divide squares ema finite kl_clip"
sanitize() {
  probe
  has compute-sanitizer || PATH=$PATH:/usr/local/cuda/bin
  has compute-sanitizer || {
    echo "run.sh sanitize: compute-sanitizer is not on the PATH; it comes with the CUDA 13 toolkit" >&2
    finish 2
  }
  result=0 tools=
  for tool in ${*:-memcheck racecheck initcheck synccheck}; do
    : > "$tmp/log"
    from=$(date +%s)
    # shellcheck disable=SC2086  # groups are words
    logged compute-sanitizer --tool "$tool" --error-exitcode 9 "$kernel_test" $groups
    [ "$code" -eq 0 ] || result=1
    summary=$(grep -E 'ERROR SUMMARY|RACECHECK SUMMARY|Error:' "$tmp/log" | tail -n 1)
    tools="${tools:+$tools, }\"$tool\": {\"code\": $code, \"seconds\": $(($(date +%s) - from)), \"summary\": $(quote "$summary")}"
  done
  finish $result "\"tools\": {$tools},"
}

test_backend() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  logged java org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --fail-if-no-tests --include-tag=gpu --scan-classpath="$kit/lib/kfac-cuda-tests.jar" \
    --reports-dir="$tmp/reports" "$@"
  counts=
  for engine in jupiter jqwik; do
    [ -e "$tmp/reports/TEST-junit-$engine.xml" ] && report=$tmp/reports/TEST-junit-$engine.xml || report=$tmp/reports/TEST-$engine.xml
    [ -e "$report" ] || continue
    grep -q '^<testsuite .* tests="0"' "$report" && continue
    cp "$report" "$out/test-$engine.xml"
    numbers=$(sed -n 's/^<testsuite name.* tests="\([0-9]*\)" skipped="\([0-9]*\)" failures="\([0-9]*\)" errors="\([0-9]*\)".*/"tests": \1, "skipped": \2, "failures": \3, "errors": \4/p' "$report")
    counts="${counts:+$counts, }\"$engine\": {$numbers}"
  done
  [ "$code" -eq 0 ] && result=0 || result=1
  finish $result "\"counts\": {$counts},"
}

validate() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  kfac validate --backend cuda --json "$@" > "$tmp/validate.json"
  code=$?
  [ -s "$tmp/validate.json" ] && report=$(cat "$tmp/validate.json") || report=null
  [ "$code" -eq 0 ] && echo "validate: all within tolerance" || echo "validate: exit $code, see $out/validate.json"
  finish "$code" "\"validation\": $report,"
}

bench() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  # The peers bring their own libraries of CUDA: they get the user's path back.
  cat > "$tmp/python" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$users_libraries"
[ -n "\$LD_LIBRARY_PATH" ] || unset LD_LIBRARY_PATH
[ -z "$toolkit" ] || export CUDA_LIB="$toolkit"
exec ${PYTHON:-python3} "\$@"
END
  chmod +x "$tmp/python"
  has "${PYTHON:-python3}" && peers="--python=$tmp/python" || peers=
  case " $*" in *" --set"*) ;; *) set -- --set=compare --set=more --set=gpu "$@" ;; esac
  # Whole calls beside the peers, kernels between two events, whole calls with tensors on the host, and every algorithm
  # for inverses; each with the minutes after which it begins no other case.
  for part in cuda=5 cuda-kernels=1.5 cuda-host=1 cuda-kernels-8=0.2 cuda-kernels-32=0.2 cuda-kernels-64=0.2 cuda-kernels-128=0.2 \
    cuda-kernels-sweep=0.5; do
    ours=${part%=*}
    [ "$ours" = cuda ] && theirs=$peers || theirs=
    case " $*" in *" --minutes"*) time= ;; *) time=--minutes=${part#*=} ;; esac
    # shellcheck disable=SC2086  # nothing if there is none
    java io.github.kfac4j.benchmarks.command.Benchmarks compare --backend="$ours" $theirs $time \
      --scripts="$kit/benchmarks/peers" --out="$out/bench.json" "$@"
    code=$?
    [ $code -eq 0 ] || exit $((code == 2 ? 2 : 1))
  done
  exit 0
}

command=${1:-info}
[ $# -eq 0 ] || shift
started=$(date +%s)
mkdir -p "$out" || exit 1
case $command in
  info | kernels | sanitize | validate | bench) $command "$@" ;;
  test) test_backend "$@" ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
