#!/usr/bin/env bash
# java/testkit/attack/disk.sh [COUNT [SEED]]   trainings without room to write (default: 20 limits of the size of a file)
#
# A training whose files may have no more than so many KB ends with exit 1 or 2 and a reason in a few lines, never with a stack
# trace; with room again it goes on, and ends with the same bits. Output that cannot be written is exit 1.
set -euo pipefail
. "$(dirname "$0")/common.sh"
count=${1:-20} RANDOM=${2:-1}
(kfac $first --out "$work/whole") > "$work/log" 2>&1 || fault "a training fails" "$work/log"
largest=$(find "$work/whole" -type f -printf '%k\n' | sort -n | tail -1)
for i in $(seq "$count"); do
  run=$work/run limit=$((RANDOM % largest))
  code=0; (ulimit -f "$limit"; kfac $first --out "$run") 2>&1 | cat > "$work/log" || code=${PIPESTATUS[0]}
  [ "$code" = 1 ] || [ "$code" = 2 ] || fault "exit $code with files of at most $limit KB" "$work/log"
  ! grep -q "^[[:space:]]at " "$work/log" || fault "a stack trace with files of at most $limit KB" "$work/log"
  if [ -f "$run/run.json" ]; then again="train --resume $run"; else again="$first --out $run"; fi
  (kfac $again) > "$work/log" 2>&1 || fault "cannot go on after files of at most $limit KB" "$work/log"
  same "$run" || fault "after files of at most $limit KB the result is another"
  rm -rf "$run"
done
for command in "info" "info --json" "nqm steps --method sgd --batch 8" "$first --out $work/full"; do
  code=0; (kfac $command) > /dev/full 2> "$work/log" || code=$?
  [ "$code" = 1 ] || fault "exit $code of $command with a full device as its output" "$work/log"
done
echo "$count limits and 4 full devices: refused with a reason, and the same bits afterwards"
