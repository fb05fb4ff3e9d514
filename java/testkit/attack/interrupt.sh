#!/usr/bin/env bash
# java/testkit/attack/interrupt.sh [SIGNAL [COUNT [SEED]]]   signals at random moments of trainings (default: 200 times KILL)
#
# A training is stopped by the signal again and again and resumed each time; each that ends must hold the bits of one that
# nothing stopped, and so must a copy of what each signal left, resumed to its end. KILL leaves what it leaves; TERM, INT and
# HUP are answered within a minute, with exit 128 + their number.
set -euo pipefail
. "$(dirname "$0")/common.sh"
signal=${1:-KILL} count=${2:-200} RANDOM=${3:-1}
(kfac $first --out "$work/whole") > "$work/log" 2>&1 || fault "a training fails" "$work/log"
sent=0 ended=0 run=$work/run
while [ "$sent" -lt "$count" ]; do
  if [ -f "$run/run.json" ]; then again="train --resume $run"; else again="$first --out $run"; fi
  (kfac $again) > "$work/log" 2>&1 &
  process=$!
  sleep "$(awk "BEGIN { print 0.2 + ${LONGEST:-4} * $RANDOM / 32768 }")"
  kill -s "$signal" "$process" 2> "$work/none" || true
  (sleep 60; kill -s KILL "$process" 2> /dev/null) & guard=$!
  code=0; wait "$process" 2> "$work/none" || code=$?
  kill "$guard" 2> /dev/null || true; wait "$guard" 2> "$work/none" || true
  if [ "$code" = 0 ]; then
    same "$run" || fault "after $sent signals the result is another"
    ended=$((ended + 1)); rm -rf "$run"
  elif [ "$code" = $((128 + $(kill -l "$signal"))) ]; then
    [ -f "$run/run.json" ] || continue  # stopped before it had begun
    sent=$((sent + 1))
    rm -rf "$work/copy"; cp -a "$run" "$work/copy"
    (kfac train --resume "$work/copy") > "$work/log" 2>&1 || fault "cannot be resumed after signal $sent" "$work/log"
    same "$work/copy" || fault "resumed after signal $sent the result is another"
  else
    fault "exit $code after $signal" "$work/log"
  fi
done
echo "$sent times $signal: each resumed to the bits of a training that was not stopped, and so were $ended stopped again and again"
