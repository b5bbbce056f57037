#!/usr/bin/env bash
# System packages: installs those that are missing with apt (as root), or prints the line to run.
#
#   system_packages.sh [--list] [tests]: with `tests` also what only tests need, a browser, a Slurm of two nodes, a PostgreSQL server and LaTeX; --list prints
#   the names for this system (PETLAB_OS_RELEASE: another os-release file) and installs nothing
#
# Names are those of Debian 12 and 13 and of Ubuntu 24.04; they are tested on Debian 12.
set -euo pipefail
. "$(dirname "$0")/common.sh"
list=
[ "${1:-}" != --list ] || { list=yes && shift; }
system=$(. "${PETLAB_OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}" || true)

# Debian 13 has pkgconf alone; pkg-config is an empty package there.
case $system in
  "debian 13"*) pkg_config=pkgconf ;;
  *) pkg_config=pkg-config ;;
esac
packages=(
  g++ make cmake ninja-build "$pkg_config" binutils
  libboost-dev libboost-program-options-dev libboost-filesystem-dev
  nlohmann-json3-dev libsqlitecpp-dev libsqlite3-dev libpq-dev libssl-dev libutf8proc-dev libsentencepiece-dev
  zlib1g-dev libpng-dev libjpeg-dev libwebp-dev libgif-dev librsvg2-dev libcairo2-dev libcsv-dev libarchive-dev
  libhwy-dev duktape-dev libgloo-dev fonts-dejavu-core
  libgtest-dev libgmock-dev
)
# These often come from elsewhere than apt: what counts is that they work.
command -v npm >/dev/null || packages+=(npm)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
if [ "${1:-}" = tests ] && [ -z "${PETLAB_CHROMIUM:-}" ]; then
  if ! command -v chromium chromium-browser google-chrome-stable google-chrome >/dev/null; then
    case $system in
      # Its package chromium-browser only installs a snap, which cannot be driven from here.
      ubuntu*) fail "the tests need a Chromium and Ubuntu has none as a package: install google-chrome-stable, or name a Chromium in PETLAB_CHROMIUM" ;;
      *) packages+=(chromium) ;;
    esac
  fi
fi
# Methods in Python need the headers of the interpreter that LibTorch's wheel is installed for.
if ! python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
  packages+=(python3-dev)
fi
# The tests start their daemons themselves, with files of their own (tests/integration/slurm_cluster.sh,
# tests/unit/results/postgres_server.cpp).
if [ "${1:-}" = tests ]; then
  packages+=(slurmctld slurmd slurm-client munge iproute2 postgresql texlive-latex-recommended)
fi
if [ -n "$list" ]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi
case $system in
  "debian 12"* | "debian 13"* | "ubuntu 24.04"*) ;;
  *) say "Names of packages are those of Debian 12 and 13 and Ubuntu 24.04; this is ${system:-an unknown system}." ;;
esac

if ! command -v dpkg-query >/dev/null; then
  step "System packages: this system has no apt; the build needs what these Debian packages hold:"
  say "${packages[*]}"
  exit 0
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
  grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  step "System packages: all there"
  exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
  step "System packages are missing. Run this line, then the same make command again:"
  printf '\n   sudo apt-get install --no-install-recommends -y %s\n\n' "${missing[*]}" >&2
  exit 1
fi
step "System packages: installing ${missing[*]} (about 1 minute)"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for command in "update" "install --no-install-recommends -y ${missing[*]}"; do
  # shellcheck disable=SC2086
  if ! apt-get -q $command >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    fail "apt-get ${command%% *} failed (its last words are above)"
  fi
done
