#!/usr/bin/env bash
# Removes the build trees, and says what stays, how much it takes, and how it is removed.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$PETLAB_HOME"
size() { du -shc "$@" 2>/dev/null | tail -n 1 | cut -f 1; }

shopt -s nullglob
builds=(build-*)
[ ! -d build ] || builds=(build "${builds[@]}")
if [ ${#builds[@]} -gt 0 ]; then
  taken=$(size "${builds[@]}")
  rm -rf "${builds[@]}"
  step "Removed ${builds[*]} ($taken)"
else
  step "No build tree to remove"
fi

# keeps WHAT PATH...: a line for those that are there
keeps() {
  local what=$1 there=() path
  shift
  for path in "$@"; do [ ! -e "$path" ] || there+=("$path"); done
  [ ${#there[@]} -eq 0 ] || printf '   %6s  %-36s rm -r %s\n' "$(size "${there[@]}")" "$what" "${there[*]}" >&2
}
say "Kept (size, what, the command that removes it):"
keeps "Python environment, LibTorch" .venv
keeps "data sets that petlab built" datasets/data
keeps "downloads, image and feature caches" datasets/cache reports/cache
keeps "results: stores and checkpoints" results/*.sqlite results/*.sqlite-* results/*.adapters results/*.checkpoints results/*.jobs results/logs
keeps "reports" reports/out
keeps "pretraining" harness/pretrain/runs
