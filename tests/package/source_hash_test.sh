#!/usr/bin/env bash
# source_hash_test.sh SOURCE CMAKE: the hash of a folder of sources as PetlabSourceHash.cmake makes it: a
# comment changes nothing, a token does, and so does a file more.
set -euo pipefail
source=$1 cmake=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "source_hash_test: $*" >&2; exit 1; }

mkdir "$folder/src"
cat >"$folder/CMakeLists.txt" <<TEXT
cmake_minimum_required(VERSION 3.25)
project(hashed LANGUAGES CXX)
include($source/harness/cmake/PetlabSourceHash.cmake)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/*.cpp src/*.hpp)
petlab_source_hash(hash \${CMAKE_SOURCE_DIR} \${sources})
file(WRITE \${CMAKE_BINARY_DIR}/hash "\${hash}\n")
TEXT
hash_now() {
  "$cmake" -S "$folder" -B "$folder/build" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; fail "no hash was made"; }
  cat "$folder/build/hash"
}

printf 'int f(int x) { return x + 1; }\n' >"$folder/src/a.cpp"
printf '#pragma once\nint f(int x);\n' >"$folder/src/a.hpp"
first=$(hash_now)
[ "${#first}" = 64 ] || fail "'$first' is no SHA-256"
[ "$(hash_now)" = "$first" ] || fail "the same sources have another hash"

printf '// What f does.\nint f(int x) {\n  return x /* one more */ + 1;\n}\n' >"$folder/src/a.cpp"
[ "$(hash_now)" = "$first" ] || fail "a comment changes the hash"

printf 'int f(int x) { return x + 2; }\n' >"$folder/src/a.cpp"
changed=$(hash_now)
[ "$changed" != "$first" ] || fail "a changed token does not change the hash"

printf 'int g();\n' >"$folder/src/b.hpp"
[ "$(hash_now)" != "$changed" ] || fail "a new file does not change the hash"
