#!/usr/bin/env bash
# Builds the parts that need no LibTorch with sanitizers and runs their tests: with AddressSanitizer (leaks too) and
# UndefinedBehaviorSanitizer in build-asan, those with threads of their own with ThreadSanitizer in build-tsan.
# sanitize.sh [asan|tsan], default both.
set -euo pipefail
. "$(dirname "$0")/common.sh"
torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")

# GCC's -Wmaybe-uninitialized sees what is not there in code with sanitizers; the presets leave it out.
# sanitize PRESET TEST...: configures, builds and runs.
sanitize() {
  local preset=$1
  shift
  local build=$PETLAB_HOME/build-$preset
  step "Building $* with the preset $preset"
  cmake -S "$PETLAB_HOME" --preset "$preset" -DPETLAB_TORCH_ROOT:PATH="$torch" >/dev/null ||
    fail "CMake could not configure build-$preset"
  cmake --build "$build" --parallel "${PETLAB_JOBS:-$(cores)}" --target "$@" >&2 || fail "the build failed (the compiler's reason is above)"
  local pattern
  pattern=$(IFS='|' && printf '^(%s)$' "$*")
  step "Running $*"
  ctest --test-dir "$build" --output-on-failure --parallel "$(cores)" --timeout 1200 --tests-regex "$pattern" ||
    fail "the sanitizers of the preset $preset found a fault, or a test failed (above)"
}

suppressions=$PETLAB_HOME/tests/sanitizers
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
export LSAN_OPTIONS=suppressions=$suppressions/leaks.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$suppressions/threads.txt
case ${1:-both} in
  asan) sanitize asan base_tests datasets_tests results_tests reports_tests ;;
  tsan) sanitize tsan datasets_tests results_tests ;;
  both) "$0" asan && "$0" tsan ;;
  *) fail "sanitize.sh $1: expected asan or tsan" ;;
esac
