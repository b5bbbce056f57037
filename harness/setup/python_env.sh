#!/usr/bin/env bash
# .venv: the Python reference implementations that tests compare with, and the formatter.
#
#   python_env.sh [REQUIREMENTS]   default: requirements.txt beside this script, and with it
#                                  requirements-nodeps.txt, without what those packages depend on
set -euo pipefail
. "$(dirname "$0")/common.sh"
requirements=${1:-$PETLAB_HOME/harness/setup/requirements.txt}
stamp=$PETLAB_VENV/petlab-$(basename "$requirements")
nodeps=${requirements%.txt}-nodeps.txt
[ -e "$nodeps" ] || nodeps=/dev/null

if [ -x "$PETLAB_VENV/bin/python" ] && cat "$requirements" "$nodeps" | cmp -s - "$stamp"; then
  step "Python packages of $(basename "$requirements"): all there"
  exit 0
fi
step "Python packages of $(basename "$requirements") into .venv (about 1 minute)"
ensure_venv

# The references run on the torch that the C++ side links: where that is another Python's, .venv
# looks there too, instead of holding a second copy of several GB. Before the packages, which would
# bring any other version.
if ! "$PETLAB_VENV/bin/python" -c 'import torch' 2>/dev/null; then
  torch=$("$PETLAB_HOME/harness/setup/libtorch.sh")
  site=$(dirname "$torch")
  [ "$site" != / ] && [ -d "$site/torch" ] && compgen -G "$site/torch-*.dist-info" >/dev/null &&
    echo "$site" >"$("$PETLAB_VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/petlab-torch.pth"
  "$PETLAB_VENV/bin/python" -c 'import torch' 2>/dev/null ||
    pip_install "torch for the reference implementations" torch==2.13.0
fi
pip_install "the packages of $(basename "$requirements")" -r "$requirements"
[ "$nodeps" = /dev/null ] ||
  pip_install "the packages of $(basename "$nodeps")" --no-deps -r "$nodeps"
cat "$requirements" "$nodeps" >"$stamp"
