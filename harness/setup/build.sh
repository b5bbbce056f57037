#!/usr/bin/env bash
# Configures and builds into build/ (or PETLAB_BUILD): build.sh [TARGET...], default everything.
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=${PETLAB_BUILD:-$PETLAB_HOME/build}
torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")

# A source file that includes LibTorch takes up to 2 GB to compile.
cores=$(cores)
memory_jobs=$(awk '/^MemAvailable:/ { print int($2 / (2 * 1024 * 1024)) }' /proc/meminfo)
jobs=$((memory_jobs < cores ? memory_jobs : cores))
jobs=${PETLAB_JOBS:-$((jobs > 1 ? jobs : 1))}

if ! grep -qsx "PETLAB_TORCH_ROOT:PATH=$torch" "$build/CMakeCache.txt" || [ ! -f "$build/build.ninja" ]; then
  step "Configuring ${build#"$PETLAB_HOME"/}"
  cmake -S "$PETLAB_HOME" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DPETLAB_TORCH_ROOT:PATH="$torch" >&2 ||
    fail "CMake could not configure ${build#"$PETLAB_HOME"/} (its reason is above)"
fi

# Steps that ninja has yet to do, and how long they take: 8 seconds of a core each, on average. A dry run of
# build.ninja itself ends where CMake would look for new files, which a copy does not ask for.
cp "$build/build.ninja" "$build/dry_run.ninja"
todo=$(ninja -C "$build" -f dry_run.ninja -n "$@" 2>/dev/null | grep -c '^\[[0-9]*/' || true)
what=${*:-everything}
[ $# -le 3 ] || what="$1 and $(($# - 1)) more targets"
if [ "$todo" -eq 0 ]; then
  step "Building $what: nothing to do"
else
  step "Building $what: $todo steps, $jobs at once, about $(((todo * 8 / jobs + 59) / 60)) minutes"
fi
export NINJA_STATUS=${NINJA_STATUS:-   %f of %t done, %r at work, %e s: }
cmake --build "$build" --parallel "$jobs" ${1:+--target "$@"} >&2 ||
  fail "the build failed (the compiler's reason is above)"
