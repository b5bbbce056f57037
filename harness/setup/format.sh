#!/usr/bin/env bash
# Formats our C++ sources in place; with --check names those that are not formatted and fails.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$PETLAB_HOME"
tool=$PETLAB_VENV/bin/clang-format
if [ ! -x "$tool" ] && [ "${1:-}" = --check ]; then
  say "clang-format is not in .venv: nothing was checked"
  exit 77  # what ctest counts as skipped
fi
[ -x "$tool" ] || fail "clang-format is not in .venv; run \`make format\`, which installs it"

mapfile -t files < <(find harness plugins datasets results reports tests \
  \( -path datasets/cache -o -path datasets/data -o -path reports/out \) -prune -o \
  -type f \( -name '*.hpp' -o -name '*.cpp' \) -print | sort)
[ ${#files[@]} -gt 0 ] || fail "no sources found in $PETLAB_HOME"

if [ "${1:-}" != --check ]; then
  "$tool" -i "${files[@]}"
  step "Formatted ${#files[@]} files"
  exit 0
fi
bad=$("$tool" --dry-run --ferror-limit=1 "${files[@]}" 2>&1 |
  sed -n 's/:[0-9]*:[0-9]*: warning: code should be clang-formatted.*//p' | sort -u)
[ -z "$bad" ] || fail "not formatted: ${bad//$'\n'/ }; run \`make format\`"
step "All ${#files[@]} files are formatted"
