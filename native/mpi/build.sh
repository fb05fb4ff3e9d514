#!/bin/sh
# native/mpi/build.sh GLUE CLASSES_FOLDER JDK
#
# Compiles JavaCPP's jni*.cpp in the folder GLUE, the JNI glue to mpi.h, into CLASSES_FOLDER. Without a C++ compiler or
# OpenMPI's header nothing is built, which is no error; built.txt beside the library says in one line what was done.
set -eu
glue=${1:?usage: build.sh GLUE CLASSES_FOLDER JDK} classes=$2 jdk=$3
folder=$classes/io/github/kfac4j/distributed/collectives/linux-x86_64
mkdir -p "$folder"

say() {
  echo "[mpi] $1"
  echo "$1" > "$folder/built.txt"
}
skip() {
  rm -f "$folder"/*.so
  say "kfac4j was built without it: $1"
  exit 0
}
command -v c++ > /dev/null 2>&1 || skip "no C++ compiler (c++) on the PATH"
command -v mpicc > /dev/null 2>&1 || skip "no mpicc on the PATH (Debian: libopenmpi-dev)"
flags=$(mpicc -showme:compile 2> /dev/null) || skip "mpicc is not that of OpenMPI"
libs=$(mpicc -showme:link)

# unchanged glue is not compiled again
key="$(cat "$glue"/jni*.cpp | cksum) $flags $libs $jdk"
if [ "$(cat "$glue/.key" 2> /dev/null || true)" != "$key" ] || ! ls "$folder"/*.so > /dev/null 2>&1; then
  # shellcheck disable=SC2086 # flags are several words
  c++ -std=c++17 -O2 -w -shared -fPIC -s -Wl,-Bsymbolic -Wl,-z,noexecstack -DOMPI_SKIP_MPICXX=1 \
    "-I$jdk/include" "-I$jdk/include/linux" $flags -o "$folder/libjniMpi.so" "$glue"/jni*.cpp $libs
  printf %s "$key" > "$glue/.key"
fi
say "built with $(mpicc -showme:version)"
