#!/usr/bin/env bash
# Installs what was built, or removes it: install.sh PREFIX, install.sh --remove PREFIX
#
# The list of installed files stands in PREFIX/lib/cmake/petlab/installed_files.txt. Only they are
# removed, and the folders that are empty then.
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=${PETLAB_BUILD:-$PETLAB_HOME/build}
remove=
[ "${1:-}" != --remove ] || { remove=yes && shift; }
prefix=${1:-}
[ -n "$prefix" ] || fail "no folder to install into; say make install PREFIX=FOLDER"
list=lib/cmake/petlab/installed_files.txt

if [ -z "$remove" ]; then
  step "Installing into $prefix"
  cmake --install "$build" --prefix "$prefix" >/dev/null || fail "the installation failed (its reason is above)"
  prefix=$(cd "$prefix" && pwd)
  # install_manifest.txt has no newline at its end.
  { sed "s|^$prefix/||" "$build/install_manifest.txt"; echo; echo "$list"; } | sed '/^$/d' >"$prefix/$list"
  say "$(wc -l <"$prefix/$list") files; make uninstall PREFIX=$prefix removes them"
  exit 0
fi

[ -f "$prefix/$list" ] || fail "$prefix has no $list, so it was not installed by make install; nothing is removed"
cd "$prefix"
mapfile -t files <"$list"
for file in "${files[@]}"; do
  case /$file/ in
    //* | */../*) fail "$list names '$file', which is not inside $prefix; nothing is removed" ;;
  esac
done
count=0
for file in "${files[@]}"; do
  [ ! -e "$file" ] || { rm -f -- "$file" && count=$((count + 1)); }
done
printf '%s\n' "${files[@]}" | while read -r file; do
  folder=$(dirname "$file")
  while [ "$folder" != . ] && rmdir -- "$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
done
step "Removed $count files from $prefix"
