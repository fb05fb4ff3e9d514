#!/usr/bin/env bash
# java/testkit/attack/jazzer.sh [TEST...]   fuzzes with Jazzer, guided by coverage: 5 minutes for each test
#
# What it finds anew goes to .cifuzz-corpus in the module, a finding to the test's folder of inputs, where mvn verify runs it
# from then on.
set -euo pipefail
cd "$(dirname "$0")/../../.."
tests=${*:-core/TensorFileFuzzTest core/RequestFuzzTest experiments/DataFuzzTest#idxFilesAreReadOrRefused experiments/DataFuzzTest#cifarFilesAreReadOrRefused cli/ConfigFuzzTest}
for test in $tests; do
  JAZZER_FUZZ=1 mvn -q -Dexec.skip=true -Djazzer.hooks=true -pl "java/${test%%/*}" -am test -Dtest="${test#*/}" \
    -Dsurefire.failIfNoSpecifiedTests=false
done
