#!/bin/sh
# native/format.sh           formats the sources of native/ by .clang-format
# native/format.sh --check   fails, and says where, if that would change any
#
# Versions of clang-format differ in what they do: without the one below nothing is checked, which is no error.
set -eu
version=14
cd "$(dirname "$0")"
for tool in "clang-format-$version" clang-format; do
  case $("$tool" --version 2>/dev/null || true) in *"version $version."*) break ;; esac
  tool=
done
if [ -z "$tool" ]; then
  echo "[native] formatting: skipped, as there is no clang-format $version on the PATH"
  exit 0
fi
sources() { find . -name build -prune -o \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0; }
case ${1:-} in
  "") sources | xargs -0 "$tool" -i ;;
  --check)
    sources | xargs -0 "$tool" --dry-run -Werror -ferror-limit=1 || {
      echo "[native] formatting: native/format.sh mends it"
      exit 1
    } ;;
  *) sed -n '2,3s/^# //p' "$0" >&2 && exit 2 ;;
esac
