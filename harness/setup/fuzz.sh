#!/usr/bin/env bash
# Builds the libFuzzer targets of tests/fuzz with clang and runs each for a while:
# fuzz.sh [SECONDS [TARGET...]], default 60 and all targets. What they find grows in .cache/fuzz (PETLAB_FUZZ_CORPUS), which
# begins with tests/fuzz/corpus; a crash leaves its input there. The seed is the day, or PETLAB_FUZZ_SEED.
set -euo pipefail
. "$(dirname "$0")/common.sh"
seconds=${1:-60}
[ $# -eq 0 ] || shift
seed=${PETLAB_FUZZ_SEED:-$(date +%Y%m%d)}
build=$PETLAB_HOME/build-fuzz
corpora=${PETLAB_FUZZ_CORPUS:-$PETLAB_HOME/.cache/fuzz}
clang=${PETLAB_CLANG:-$(command -v clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14 | head -n 1 || true)}
[ -n "$clang" ] && command -v "$clang" >/dev/null ||
  fail "make fuzz needs clang with its run-time libraries (Debian: clang-16, libclang-rt-16-dev), or its path in PETLAB_CLANG"
torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")

if [ ! -f "$build/build.ninja" ]; then
  step "Configuring build-fuzz"
  cmake -S "$PETLAB_HOME" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_COMPILER="$clang" -DPETLAB_BUILD_FUZZERS=ON -DPETLAB_PRECOMPILE=OFF \
    -DPETLAB_TORCH_ROOT:PATH="$torch" >&2 || fail "CMake could not configure build-fuzz"
fi
targets=("$@")
[ $# -gt 0 ] || targets=(safetensors config tokenizer archive pickle picture exif csv list split iconify ini store tar coop)
step "Building the fuzz targets"
cmake --build "$build" --parallel "$(cores)" --target "${targets[@]/#/fuzz_}" >&2 || fail "the build failed"
step "Fuzzing ${#targets[@]} targets, $seconds seconds each, seed $seed (PETLAB_FUZZ_SEED=$seed repeats it)"
for target in "${targets[@]}"; do
  corpus=$corpora/$target
  "$build/bin/fuzz_$target" --seeds "$corpus"
  kept=()
  [ ! -d "$PETLAB_HOME/tests/fuzz/corpus/$target" ] || kept=("$PETLAB_HOME/tests/fuzz/corpus/$target")
  step "Fuzzing: $target"
  (cd "$corpora" && "$build/bin/fuzz_$target" -max_total_time="$seconds" -seed="$seed" -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$target-" -print_final_stats=1 "$corpus" "${kept[@]}" 2>&1 | tail -n 12) ||
    fail "the target $target found a fault: its input is in ${corpora#"$PETLAB_HOME"/}; mended, it belongs into tests/fuzz/corpus/$target"
done
