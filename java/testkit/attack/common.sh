# what the attacks of this folder share; to be sourced
here=$(cd "$(dirname "$0")" && pwd)
jar=$here/../../cli/target/kfac.jar
[ -f "$jar" ] || { echo "first: mvn -q -DskipTests package"; exit 2; }
work=$(mktemp -d)
trap '[ $BASHPID != $$ ] || rm -rf "$work"' EXIT  # not when a child ends by a signal before it has dropped this
kfac() { exec env --default-signal=TERM,INT,HUP java -Xmx512m -jar "$jar" "$@"; }
first="train --data fashion-mnist --model mlp --optimizer kfac,sgd --batch 32 --steps ${STEPS:-40} --checkpoint-every 4 --evaluate-every 20"
same() { java -Xmx512m -cp "$jar" io.github.kfac4j.testkit.attack.SameRun "$work/whole" "$1"; }
fault() { echo "FAULT: $1"; [ -z "${2:-}" ] || tail -20 "$2"; trap - EXIT; echo "left in $work"; exit 1; }
