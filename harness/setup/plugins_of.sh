#!/usr/bin/env bash
# The build targets of the plugins that a study needs, a line each: plugins_of.sh PROTOCOL
set -euo pipefail
. "$(dirname "$0")/common.sh"
protocol=$1
names=$(sed -nE 's/^(method|grouping)[ \t]*=[ \t]*([a-z0-9-]+).*/\2/p' "$protocol" | sort -u)
[ -n "$names" ] || fail "$protocol names no method"
for name in $names; do
  entry=$(grep -lE "^ +\{\.name = \"$name\",$" "$PETLAB_HOME"/plugins/*/*/plugin.cpp | head -n 1) ||
    fail "$protocol names '$name', and no plugin in plugins/ has it"
  sed -nE 's/^petlab_add_plugin\(NAME ([a-z0-9_]+).*/petlab_plugin_\1/p' "$(dirname "$entry")/CMakeLists.txt"
done | sort -u
