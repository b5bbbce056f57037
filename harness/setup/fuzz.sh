#!/usr/bin/env bash
# Builds the libFuzzer targets of tests/fuzz with clang and runs each for a while:
# fuzz.sh [SECONDS], default 60. Corpora are kept in build-fuzz/corpus; a crash leaves its input there.
set -euo pipefail
. "$(dirname "$0")/common.sh"
seconds=${1:-60}
build=$PETLAB_HOME/build-fuzz
clang=${PETLAB_CLANG:-clang++}
command -v "$clang" >/dev/null ||
  fail "make fuzz needs clang with its run-time libraries (Debian: clang), or its path in PETLAB_CLANG"
torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")

if [ ! -f "$build/build.ninja" ]; then
  step "Configuring build-fuzz"
  cmake -S "$PETLAB_HOME" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_COMPILER="$clang" -DPETLAB_BUILD_FUZZERS=ON \
    -DPETLAB_TORCH_ROOT:PATH="$torch" >&2 || fail "CMake could not configure build-fuzz"
fi
step "Building the fuzz targets"
cmake --build "$build" --parallel "$(cores)" --target fuzzers >&2 || fail "the build failed"
for target in safetensors config tokenizer archive pickle; do
  corpus=$build/corpus/$target
  "$build/bin/fuzz_$target" --seeds "$corpus"
  step "Fuzzing: $target, $seconds seconds"
  (cd "$build/corpus" && "$build/bin/fuzz_$target" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 "$corpus" 2>&1 | tail -n 12) ||
    fail "the target $target found a fault: its input is in build-fuzz/corpus"
done
