#!/usr/bin/env bash
# Runs the tests of build/ (or PETLAB_BUILD); arguments go to ctest, as in `tests.sh -L unit`.
# Those that need a GPU are left out.
set -euo pipefail
. "$(dirname "$0")/common.sh"
step "Tests (about 5 minutes on 2 cores)"
# The tests run side by side; each takes one core.
export OMP_NUM_THREADS=1
exec ctest --test-dir "${PETLAB_BUILD:-$PETLAB_HOME/build}" --output-on-failure \
  --parallel "$(cores)" --label-exclude '^gpu$' "$@"
