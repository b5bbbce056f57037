#!/usr/bin/env bash
# Runs the tests of build/ (or PETLAB_BUILD); arguments go to ctest, as in `tests.sh -L unit`.
# Those that need a GPU are left out. Without arguments, those that compute (label `levels`) are run
# once more at each lower CPU level of the machine, as other machines have it; PETLAB_CPU in the
# environment asks for one level alone.
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=${PETLAB_BUILD:-$PETLAB_HOME/build}

# run_tests ARGUMENTS...: the tests run side by side; each takes one core.
run_tests() {
  OMP_NUM_THREADS=1 ctest --test-dir "$build" --output-on-failure --parallel "$(cores)" \
    --label-exclude '^gpu$' "$@"
}

# "CPU      avx2 of avx512": the level in use and the highest one of the machine.
level=$("$build/bin/petlab" --version | sed -n 's/^CPU *\([a-z0-9]*\) of .*/\1/p')
[ -n "$level" ] || fail "$build/bin/petlab --version names no CPU level"
step "Tests at CPU level $level (about 25 minutes on 2 cores)"
run_tests "$@"
[ $# -eq 0 ] && [ -z "${PETLAB_CPU:-}" ] || exit 0
for lower in avx512 avx2 baseline; do
  case "$level:$lower" in
    avx512:avx512 | avx2:avx512 | avx2:avx2 | baseline:*) continue ;;
  esac
  step "Tests that compute, at CPU level $lower (about 8 minutes on 2 cores)"
  PETLAB_CPU=$lower run_tests -L '^levels$'
done
