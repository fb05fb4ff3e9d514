#!/usr/bin/env bash
# run.sh REPOSITORY: a program that depends on kfac-djl-platform alone finds the native backend, on the class path and on the
# module path. REPOSITORY is the local one that `mvn install -Dmaven.repo.local=REPOSITORY -pl java/djl-platform -am` filled.
set -euo pipefail
repository=$(realpath "$1")
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mvn -q -o -Dmaven.repo.local="$repository" org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath \
  -Dmdep.outputFile="$out/jars"
jars=$(cat "$out/jars")
javac -d "$out" -cp "$jars" Consumer.java
run() { OPT_OUT_TRACKING=true java -Dai.djl.offline=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@" Consumer; }
run -cp "$out:$jars"
modules='/kfac-(core|cpu|djl)-[0-9]|/ai/djl/api/|/pytorch-engine-|/jna-|/(javacpp|openblas)-[0-9.-]*(-linux-x86_64)?\.jar'
on_modules=$(tr ':' '\n' <"$out/jars" | grep -E "$modules" | paste -sd:)
on_classes=$(tr ':' '\n' <"$out/jars" | grep -vE "$modules" | paste -sd:)
run -p "$on_modules" --add-modules ALL-MODULE-PATH -cp "$out:$on_classes"
