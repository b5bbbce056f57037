#!/usr/bin/env bash
# no_gpu_test.sh SOURCE: where no GPU is at hand, run.sh says so in one sentence, writes nothing and
# exits with 77. A driver that finds no GPU stands in for a machine that has one.
set -euo pipefail
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "no_gpu_test: $*" >&2; exit 1; }

printf '#!/bin/sh\necho "No devices were found"\nexit 6\n' >"$folder/nvidia-smi"
chmod +x "$folder/nvidia-smi"
code=0
PATH="$folder:$PATH" "$source/tests/gpu/run.sh" "$folder/out" >"$folder/said" 2>&1 || code=$?
cat "$folder/said"
[ "$code" = 77 ] || fail "exit code $code, expected 77"
[ "$(wc -l <"$folder/said")" = 1 ] || fail "expected one sentence"
grep -q "no NVIDIA GPU" "$folder/said" || fail "expected a sentence that there is no GPU"
[ ! -e "$folder/out" ] || fail "something was written"
