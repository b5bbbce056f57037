# Shared by the set-up scripts: where the project is, and how they speak. Sourced, not run.
PETLAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PETLAB_VENV=$PETLAB_HOME/.venv

# What follows and how long it takes; stdout stays free for the answer of a script.
step() { printf '== %s\n' "$*" >&2; }
say() { printf '   %s\n' "$*" >&2; }

# One clear sentence, then the end.
fail() {
  printf 'petlab set-up: %s\n' "$*" >&2
  exit 1
}

# Cores to fill; nproc alone would count the threads of OpenMP where those are limited.
cores() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# The project's own Python environment, made from the active python3 on first use.
ensure_venv() {
  [ -x "$PETLAB_VENV/bin/pip" ] && return 0
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "python3 3.11 or newer is needed on PATH, found '$(python3 --version 2>&1 | head -n 1)'"
  say "making the Python environment .venv"
  python3 -m venv "$PETLAB_VENV" >&2 ||
    fail "python3 could not make the environment .venv; on Debian the package python3-venv is missing"
}

# pip_install WHAT ARGUMENTS...: pip into .venv, its progress only on a terminal.
pip_install() {
  local what=$1
  shift
  ensure_venv
  local log=$PETLAB_VENV/pip.log
  local voice=(-qq --progress-bar off)
  [ ! -t 2 ] || voice=(-q)
  "$PETLAB_VENV/bin/pip" install --disable-pip-version-check "${voice[@]}" --log "$log" "$@" >&2 ||
    fail "pip could not install $what (its reason is above, the whole log in ${log#"$PETLAB_HOME"/})"
}
