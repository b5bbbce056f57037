#!/usr/bin/env bash
# LibTorch: prints the folder that holds its include/ and lib/, installing it when there is none.
#
#   libtorch.sh          find, or install torch into .venv
#   libtorch.sh --find   find only; fails when there is none (CMake asks this way)
#
# Looked for in this order: LIBTORCH, CMAKE_PREFIX_PATH, the torch of the active python3, .venv.
set -euo pipefail
. "$(dirname "$0")/common.sh"
readonly wanted=2.13 wheel=torch==2.13.0

# The version that a LibTorch folder holds, from its header; empty when it is no such folder.
version_of() {
  sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' \
    "$1/include/torch/headeronly/version.h" 2>/dev/null | paste -sd. || true
}

# The folder of the torch package that a Python would import; torch itself is not imported.
torch_of() {
  "$1" -c '
import importlib.util, sys
sys.path = [p for p in sys.path if p]  # a folder torch/ of the working directory is not meant
spec = importlib.util.find_spec("torch")
print(list(spec.submodule_search_locations or [""])[0] if spec else "")' 2>/dev/null || true
}

use() {
  step "LibTorch $(version_of "$1"): $1 ($2)"
  (cd "$1" && pwd)
  exit 0
}

# A folder that the user named must be right: a silent second choice would surprise.
named() {
  local version
  version=$(version_of "$1")
  case $version in
    $wanted.*) use "$1" "$2" ;;
    *) fail "$2 names LibTorch '$version' in $1, but petlab is built and tested with $wanted; unset it and the wheel is installed into .venv" ;;
  esac
}

if [ -n "${LIBTORCH:-}" ]; then
  [ -n "$(version_of "$LIBTORCH")" ] ||
    fail "LIBTORCH=$LIBTORCH holds no include/torch/headeronly/version.h; name the folder with LibTorch's include and lib"
  named "$LIBTORCH" LIBTORCH
fi
IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
for prefix in "${prefixes[@]}"; do
  # torch.utils.cmake_prefix_path is <torch>/share/cmake.
  for root in "$prefix" "${prefix%/share/cmake}"; do
    [ -z "$(version_of "$root")" ] || named "$root" CMAKE_PREFIX_PATH
  done
done

active=$(torch_of python3)
if [ -n "$active" ]; then
  version=$(version_of "$active")
  case $version in
    $wanted.*) use "$active" "the active Python's" ;;
    *) say "the active Python has torch '$version', petlab needs $wanted: not used" ;;
  esac
fi
own=$(torch_of "$PETLAB_VENV/bin/python")
[[ -z $own || $(version_of "$own") != $wanted.* ]] || use "$own" "the project's .venv"

if [ "${1:-}" = --find ]; then
  fail "no LibTorch $wanted: set LIBTORCH to its folder, activate a Python that has $wheel, or run \`make setup\`, which installs it into .venv"
fi
step "LibTorch: installing $wheel into .venv (1 to 10 minutes: 0.2 GB as CPU build, several GB as CUDA build)"
pip_install "LibTorch ($wheel)" "$wheel"
own=$(torch_of "$PETLAB_VENV/bin/python")
[ -n "$own" ] || fail "pip installed $wheel, but $PETLAB_VENV/bin/python does not find it"
use "$own" "the project's .venv, new"
