#!/usr/bin/env bash
# clang-tidy over our own sources; arguments are files, default all in the compile commands.
set -euo pipefail
. "$(dirname "$0")/common.sh"
tool=$PETLAB_VENV/bin/clang-tidy
[ -x "$tool" ] || fail "clang-tidy is not in .venv; run \`make tidy\`, which installs it"

# A tree of its own, configured but not built: only its compile commands are used.
build=$PETLAB_HOME/build-tidy
torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")
cmake -S "$PETLAB_HOME" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DPETLAB_UNITY=OFF \
  -DPETLAB_TORCH_ROOT:PATH="$torch" >/dev/null || fail "CMake could not configure build-tidy"

if [ $# -eq 0 ]; then
  mapfile -t files < <(python3 -c '
import json, sys
print("\n".join(sorted({c["file"] for c in json.load(open(sys.argv[1])) if "/build-tidy/" not in c["file"]})))' \
    "$build/compile_commands.json")
else
  files=("$@")
fi
step "clang-tidy over ${#files[@]} files (up to a minute each)"
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(cores)" "$tool" -p "$build" --quiet || fail "clang-tidy has complaints (above)"
