#!/bin/sh
# GPU kit of kfac4j: the CUDA backend on this machine. Needs an NVIDIA driver and the libraries of CUDA 13; no Java.
#
#   ./run.sh all                      in nine minutes what is most worth knowing, headline workloads first
#   ./run.sh more                     with --minutes 5 what is next: more sanitizers, large arrays, larger checks, bench
#   ./run.sh info                     GPU, driver, libraries; whether CUDA can be used and, if not, why
#   ./run.sh kernels [GROUP...]       tests of the kernels, plain C++
#   ./run.sh test [JUNIT OPTION...]   tests of the CUDA backend
#   ./run.sh validate [OPTION...]     every verb against the fp64 reference: error, tolerance, verdict; --small, --large
#   ./run.sh headline [OPTION...]     108 factors, inverses, gradients of ResNet-50 and the like as graphs beside PyTorch
#                                     and cuSOLVER in one process; --part=ours, --part=peers
#   ./run.sh profile [WORKLOAD...]    ncu's reports of the kernels that matter
#   ./run.sh accuracy                 errors of the kernels beside those of this machine's PyTorch in fp32
#   ./run.sh sanitize [TOOL...]       the tests of the kernels under compute-sanitizer: memcheck racecheck synccheck initcheck
#   ./run.sh bench [OPTION...]        our backend beside the peers that this machine's python3 has, and which algorithm
#                                     inverts fastest; goes on where a bench.json in $OUT ends
#
# Each ends by itself after --minutes N, default 9, and says what it left out. In $OUT, default ./out: COMMAND.json
# with the outcome, and log.txt with all that was printed; the terminal shows what failed and a summary. "all" and "more"
# leave headline.json, bench.json, log.txt and, with the files of every other command, a tar: each written as it comes, so
# that nothing is lost when time is up.
# Exit: 0 good, 1 something failed, 2 wrong usage, 3 CUDA cannot be used here, 4 nothing failed but time was up.
# CUDA_LIB: folder of libcublas.so.13, SANITIZER: compute-sanitizer, if not found. PYTHON: the interpreter for the peers.
set -u
kit=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$PWD/out}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kfac-gpu-kit.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
natives=$kit/natives/io/github/kfac4j/cuda/natives/linux-x86_64
kernel_test=$natives/kernel_test profile=$natives/profile kernel_library=$natives/libkfac_cuda.so
classes=$kit/natives:$kit/lib/*
java_options= accuracy_options=--few headline_options= bench_options="--set=more --set=gpu --set=compare"
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
if ! ldconfig -p 2>/dev/null | grep -q 'libnccl\.so\.2' && [ ! -e "${toolkit:-/nowhere}/libnccl.so.2" ]; then
  nccl=$("${PYTHON:-python3}" -c 'import sys, os
print(next((d for d in (os.path.join(p, "nvidia/nccl/lib") for p in sys.path) if os.path.isdir(d)), ""))' 2>/dev/null)
  [ -z "$nccl" ] || add "$nccl"
fi
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
  kernel_test=$KFAC_KIT_EMULATION/emu/kernel_test_emu profile=$KFAC_KIT_EMULATION/emu/profile_emu
  kernel_library=$KFAC_KIT_EMULATION/emu/libkfac_cuda.so
  accuracy_options="--device cpu --sizes 16,40,64,150 --most 64 --matrices 3" bench_options=--set=tiny
  headline_options="--device cpu --tiny"
  java_options="-Dio.github.kfac4j.cuda.emulation=true -Dorg.bytedeco.javacpp.platform.linkpath=$KFAC_KIT_EMULATION/fake"
  classes=$KFAC_KIT_EMULATION/java:$classes
fi
users_libraries=${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH="$libraries${users_libraries:+:$users_libraries}"
export KFAC_COMMIT="$(cat "$kit/commit")"
unset LD_BIND_NOW JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS

cat > "$tmp/java" <<END
#!/bin/sh
exec "$kit/runtime/bin/java" -XX:MaxRAMPercentage=50 -Dorg.bytedeco.javacpp.cachedir="$tmp/javacpp" \
  -Djava.io.tmpdir="$tmp" -Dkfac.commit="$KFAC_COMMIT" $java_options -cp "$classes" "\$@"
END
chmod +x "$tmp/java"
kfac() { "$tmp/java" io.github.kfac4j.cli.KfacCommand "$@"; }
has() { command -v "$1" >/dev/null 2>&1; }
gpu() { has nvidia-smi && nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1; }
version_of() { [ -n "$toolkit" ] && basename "$(readlink -f "$toolkit/$1")"; }

# Why CUDA cannot be used; nothing if it can.
unusable() { kfac info 2>&1 | sed -n 's/^backend  cuda *not available: //p'; }
refuse() {
  echo "run.sh $command: CUDA cannot be used: $1" >&2
  case $command in bench | headline) exit 3 ;; esac  # their files hold results only
  finish 3 "\"reason\": $(quote "$1"),"
}
quote() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# report EXIT_CODE [FIELDS]: writes $command.json.
report() {
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
}
finish() { report "$@"; exit "$1"; }

left() { echo $((deadline - $(date +%s))); }
# logged SECONDS FILTER COMMAND...: runs it that long at most; all that it prints goes to $tmp/log and $out/log.txt,
# what FILTER (a program of awk) passes to the terminal; its exit code goes to $code, 124 if time was up.
logged() {
  seconds=$1 filter=$2
  shift 2
  if [ "$seconds" -le 0 ]; then code=124; return; fi
  { timeout -k 5 "$seconds" "$@" 2>&1; echo $? > "$tmp/code"; } | tee -a "$tmp/log" "$out/log.txt" | awk "$filter
{ fflush() }"
  code=$(cat "$tmp/code")
  [ "$code" -ne 137 ] || code=124
  [ "$code" -ne 124 ] || echo "time is up: $*" | cut -c1-200 | tee -a "$out/log.txt"
}
# The outcome of a command so far, and of another code: failures count more than lack of time.
worse() { case $1,$2 in 1,* | *,0) echo "$1" ;; *,124 | *,4) echo 4 ;; *) echo 1 ;; esac; }

info() {
  report=$(kfac info --json 2>"$tmp/error") || { cat "$tmp/error" >&2; finish 1; }
  reason=$(unusable)
  name=$(gpu name)
  {
    echo "GPU        ${name:-nvidia-smi shows none} $(gpu memory.total)"
    echo "driver     $(gpu driver_version)"
    echo "toolkit    ${toolkit:-no folder with libcublas.so.13 and libcusolver.so.12; set CUDA_LIB}"
    echo "libraries  $libraries"
    echo "sanitizer  $(sanitizer || echo none)"
    echo "python     $("${PYTHON:-python3}" -V 2>&1)"
    echo "commit     $(cat "$kit/commit")"
    if [ -n "$reason" ]; then echo "CUDA       cannot be used: $reason"; else echo "CUDA       can be used"; fi
  } | tee -a "$out/log.txt"
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
# Each in a process of its own, since a CUDA error ends one. Last those with arrays of many gigabytes.
groups="view api traces divide squares scale first_non_finite largest damp patches accumulate precondition invert inverse_error eigen convert graph accuracy offsets"
kernels() {
  probe
  : > "$tmp/log"
  result=0
  for group in ${*:-$groups}; do
    logged "$(left)" '!/^ok |, devices: | run, 0 failed$/' "$kernel_test" "$group"
    result=$(worse $result $code)
  done
  echo "kernels: $(grep -c '^ok ' "$tmp/log") tests good, $(grep -c '^FAIL' "$tmp/log") not"
  finish "$result" "\"tests\": [$(tests_of "$tmp/log")],"
}

sanitizer() {
  for tool in "${SANITIZER:-}" "$(command -v compute-sanitizer)" /usr/local/cuda/bin/compute-sanitizer \
    /usr/local/cuda*/compute-sanitizer/compute-sanitizer /opt/nvidia/nsight-compute/*/host/*/*/compute-sanitizer; do
    [ -x "$tool" ] && { echo "$tool"; return; }
  done
  return 1
}
# Each tool group by group, with its part of the time; without "accuracy" and "offsets", which run no other kernels.
sanitize() {
  probe
  run=$(sanitizer) || {
    echo "run.sh sanitize: compute-sanitizer is not found; it comes with the CUDA 13 toolkit; set SANITIZER" >&2
    finish 2
  }
  [ $# -gt 0 ] || set -- memcheck racecheck synccheck initcheck
  result=0 tools= more=$#
  for tool in "$@"; do
    of_groups= until=$(($(date +%s) + $(left) / more))
    more=$((more - 1))
    # initcheck would take the poison of the tests for a first write.
    [ "$tool" = initcheck ] && export KFAC_TEST_RAW_WORKSPACE=1 || unset KFAC_TEST_RAW_WORKSPACE
    for group in patches accumulate precondition invert graph "inverse_error eigen convert" "damp traces divide squares scale first_non_finite largest"; do
      : > "$tmp/log"
      from=$(date +%s)
      # shellcheck disable=SC2086  # groups are words
      logged $((until - from)) '/^FAIL/ || (/^=========/ && shown++ < 12)' \
        "$run" --tool "$tool" --error-exitcode 9 --print-limit 20 "$kernel_test" $group
      result=$(worse $result $code)
      summary=$(grep -E 'ERROR SUMMARY|RACECHECK SUMMARY|Error:' "$tmp/log" | tail -n 1)
      of_groups="${of_groups:+$of_groups, }\"${group%% *}\": {\"code\": $code, \"seconds\": $(($(date +%s) - from)), \"summary\": $(quote "$summary")}"
      report "$result" "\"tools\": {${tools:+$tools, }\"$tool\": {$of_groups}},"
    done
    tools="${tools:+$tools, }\"$tool\": {$of_groups}"
  done
  exit "$result"
}

test_backend() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  : > "$tmp/log"
  logged "$(left)" '/^Failures|^Test run finished/ { on = 1 } on && NF && shown++ < 120 { print substr($0, 1, 300) }' \
    "$tmp/java" org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
    --details=tree --fail-if-no-tests --include-tag=gpu --scan-classpath="$kit/lib/kfac-cuda-tests.jar:$kit/lib/kfac-nccl-tests.jar" "$@"
  counts=$(sed -n 's/^\[ *\([0-9]*\) tests \([a-z]*\) *\]$/"\2": \1/p' "$tmp/log" | paste -sd, -)
  finish "$(worse 0 "$code")" "\"counts\": {$counts},"
}

validate() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  : > "$tmp/log"
  logged "$(left)" '/MISS/ || / checks passed/' "$tmp/java" io.github.kfac4j.cli.KfacCommand validate --backend cuda "$@"
  [ "$code" -ne 2 ] || exit 2
  ok=$(grep -c ' ok$' "$tmp/log") misses=$(grep -c ' MISS' "$tmp/log")
  echo "validate: $ok checks within tolerance, $misses not"
  finish "$(worse 0 "$code")" "\"within\": $ok, \"misses\": $misses,"
}

# A python with its own libraries of CUDA: it gets the user's path back.
python() {
  cat > "$tmp/python" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$users_libraries"
[ -n "\$LD_LIBRARY_PATH" ] || unset LD_LIBRARY_PATH
[ -z "$toolkit" ] || export CUDA_LIB="$toolkit"
exec ${PYTHON:-python3} "\$@"
END
  chmod +x "$tmp/python"
  has "${PYTHON:-python3}"
}

accuracy() {
  probe
  python && "$tmp/python" -c 'import torch' 2> "$tmp/error" || {
    echo "accuracy: left out, there is no PyTorch: $(tail -n 1 "$tmp/error" 2> /dev/null)" | tee -a "$out/log.txt"
    finish 0 "\"leftOut\": true,"
  }
  : > "$tmp/log"
  # It begins no other case when nine tenths of the time are up, and has written what it has if it is ended.
  logged "$(left)" '/times its error|time is up|Error/' "$tmp/python" "$kit/benchmarks/peers/accuracy.py" \
    "$kernel_library" $accuracy_options --minutes "$(awk "BEGIN { print $(left) * 0.9 / 60 }")" --out "$tmp/accuracy.json"
  [ -s "$tmp/accuracy.json" ] && errors=$(cat "$tmp/accuracy.json") || errors=null
  finish "$(worse 0 "$code")" "\"errors\": $errors,"
}

headline() {
  probe
  python && "$tmp/python" -c 'import torch' 2> "$tmp/error" || {
    echo "headline: left out, there is no PyTorch: $(tail -n 1 "$tmp/error" 2> /dev/null)" | tee -a "$out/log.txt"
    exit 0
  }
  : > "$tmp/log"
  logged "$(left)" 1 "$tmp/python" "$kit/benchmarks/peers/headline.py" "$kernel_library" $headline_options \
    --minutes "$(awk "BEGIN { print $(left) * 0.9 / 60 }")" --out "$out/headline.json" "$@"
  exit "$(worse 0 "$code")"  # headline.json holds results only
}

# One report for each kernel, of a launch in the middle of its workload.
profile() {
  probe
  ncu=$(for tool in "${NCU:-}" "$(command -v ncu)" /usr/local/cuda/bin/ncu /opt/nvidia/nsight-compute/*/ncu; do
    [ -x "$tool" ] && { echo "$tool"; break; }
  done)
  [ -n "$ncu" ] || { echo "run.sh profile: ncu is not found; it comes with the CUDA 13 toolkit; set NCU" >&2; finish 2; }
  result=0 reports=
  for what in accumulate-fp32:accumulate_kernel:0 accumulate-bf16:accumulate_kernel:0 sweep:update_kernel:5 \
    sweep:factor_kernel:5 sweep:panel_kernel:5 small-64:invert_tiled_kernel:0 precondition:right_kernel:0; do
    workload=${what%%:*} kernel=${what#*:} skip=${what##*:}
    kernel=${kernel%:*}
    [ $# -eq 0 ] || case " $* " in *" $workload "*) ;; *) continue ;; esac
    logged "$(left)" '/==ERROR==/' "$ncu" --set full --clock-control none --kernel-name "regex:$kernel" \
      --launch-skip "$skip" --launch-count 1 --force-overwrite --export "$out/$workload-$kernel" "$profile" "$workload"
    result=$(worse "$result" "$code")
    reports="${reports:+$reports, }\"$workload $kernel\": $code"
    report "$result" "\"reports\": {$reports},"
    "$ncu" --import "$out/$workload-$kernel.ncu-rep" --page details >> "$out/profile.txt" 2>/dev/null
  done
  finish "$result" "\"reports\": {$reports},"
}

bench() {
  reason=$(unusable)
  [ -z "$reason" ] || refuse "$reason"
  python && peers="--python=$tmp/python" || peers=
  # shellcheck disable=SC2086  # words
  case " $* " in *" --set"*) ;; *) set -- $bench_options "$@" ;; esac
  # Whole calls beside the peers, kernels between two events, every algorithm for inverses, and whole calls with tensors
  # on the host; each with its percentage of the time, after which it begins no other case.
  result=0 time=$(left)
  for part in cuda=45 cuda-kernels=15 cuda-kernels-8=3 cuda-kernels-32=3 cuda-kernels-64=3 cuda-kernels-128=3 \
    cuda-kernels-sweep=6 cuda-cusolver=6 cuda-host=6; do
    ours=${part%=*} minutes=$(awk "BEGIN { print $time * ${part#*=} / 6000 }")
    [ "$ours" = cuda ] && theirs=$peers || theirs=
    case $ours in cuda-kernels-* | cuda-cusolver) only=--only=inverse ;; *) only= ;; esac
    # shellcheck disable=SC2086  # nothing if there is none
    logged "$(left)" '/left out|time is up|Exception/ { print substr($0, 1, 200); next }
                      /^[a-z]+[-a-z]* / { name = $0 } / ms/ && !said[name]++ { print name ":" $0 }' \
      "$tmp/java" io.github.kfac4j.benchmarks.command.Benchmarks compare --backend="$ours" $theirs $only \
      --minutes="$minutes" --scripts="$kit/benchmarks/peers" --out="$out/bench.json" "$@"
    [ "$code" -ne 2 ] || exit 2
    result=$(worse "$result" "$code")
  done
  [ ! -e "$out/bench.json" ] ||
    "$tmp/java" io.github.kfac4j.benchmarks.command.Benchmarks inversions "$out/bench.json" | tee -a "$out/log.txt"
  exit "$result"
}

# part NAME SECONDS OPTION...: a command with so many seconds at most; its files then go into the tar, but for the results
# that are worth reading at once.
part() {
  now=$1 seconds=$2
  shift 2
  [ "$seconds" -lt "$(left)" ] || seconds=$(left)
  echo "--- $now $*"
  mkdir -p "$tmp/parts"
  for file in headline.json bench.json; do [ ! -e "$out/$file" ] || mv "$out/$file" "$tmp/parts/"; done
  LD_LIBRARY_PATH=$users_libraries OUT=$tmp/parts KFAC_KIT_SECONDS=$seconds "$kit/run.sh" "$now" "$@"
  code=$?
  [ "$code" -ne 3 ] || exit 3
  case $now,$code in sanitize,2 | profile,2) code=0 ;; esac  # the tool is not there
  outcome=$(worse $outcome $code)
  summary="${summary:-}$(printf '\n%-10s %s' "$now" "$(case $code in 0) echo good ;; 4) echo 'good as far as it went' ;; *) echo FAILED ;; esac)")"
  cat "$tmp/parts/log.txt" >> "$out/log.txt" 2>/dev/null
  rm -f "$tmp/parts/log.txt"
  for file in headline.json bench.json; do [ ! -e "$tmp/parts/$file" ] || mv "$tmp/parts/$file" "$out/"; done
  [ ! -e "$tmp/parts/$now.json" ] || mv "$tmp/parts/$now.json" "$tmp/parts/$(date +%H%M%S)-$now.json"
  tar -C "$tmp/parts" -cf "$out/$command.tar.new" . && mv "$out/$command.tar.new" "$out/$command.tar"
}
all() {
  outcome=0
  part info 20
  # shellcheck disable=SC2086  # words
  part kernels 45 ${groups% offsets}
  part headline 70 --part=ours
  part profile 60
  part headline 150 --part=peers
  part test 60
  part accuracy 50
  part sanitize 50 memcheck
  part validate "$(left)" --small
  echo "--- all: $(($(date +%s) - started)) s$summary"
  exit "$outcome"
}
more() {
  outcome=0
  part headline 40
  part sanitize 100 racecheck synccheck initcheck
  part kernels 30 offsets
  part validate 50
  part bench "$(left)"
  echo "--- more: $(($(date +%s) - started)) s$summary"
  exit "$outcome"
}

command=${1:-info}
[ $# -eq 0 ] || shift
started=$(date +%s)
minutes=9
for word; do  # takes --minutes out of the options
  shift
  case $word in
    --minutes=*) minutes=${word#*=} ;;
    --minutes) minutes= ;;
    *) if [ -z "$minutes" ]; then minutes=$word; else set -- "$@" "$word"; fi ;;
  esac
done
deadline=$((started + ${KFAC_KIT_SECONDS:-$((minutes * 60))})) || exit 2
mkdir -p "$out" || exit 1
case $command in
  all | more | info | kernels | headline | profile | sanitize | validate | accuracy | bench) $command "$@" ;;
  test) test_backend "$@" ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
