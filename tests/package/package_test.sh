#!/usr/bin/env bash
# package_test.sh SOURCE BUILD CMAKE: installs petlab into a temporary folder, builds the plugin that
# plugins/methods/README.md shows, as it stands there, and lets the installed program count it.
set -euo pipefail
source=$1 build=$2 cmake=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "package_test: $*" >&2; exit 1; }

PETLAB_BUILD=$build "$source/harness/setup/install.sh" "$folder/petlab" >"$folder/install.log" 2>&1 ||
  { cat "$folder/install.log" >&2; fail "the installation failed"; }

# block LANGUAGE: the first fenced block of that language in the README.
block() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ && on { exit } on' "$source/plugins/methods/README.md"; }
mkdir "$folder/plugin"
block cpp >"$folder/plugin/plugin.cpp"
block cmake >"$folder/plugin/CMakeLists.txt"
[ -s "$folder/plugin/plugin.cpp" ] || fail "plugins/methods/README.md shows no plugin"

"$cmake" -S "$folder/plugin" -B "$folder/plugin/build" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$folder/petlab" >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2; fail "the plugin's configuration failed"; }
"$cmake" --build "$folder/plugin/build" >"$folder/build.log" 2>&1 ||
  { cat "$folder/build.log" >&2; fail "the plugin was not built"; }

petlab=$folder/petlab/bin/petlab
said=$("$petlab" describe mlp-gain --plugin-dir "$folder/plugin/build/lib/petlab" --count \
  --backbone "$source/harness/backbones/petlab-icon-clip")
echo "$said"
# One gain a channel: 6 layers of 192 in the image tower.
grep -q "^trainable 1,152 " <<<"$said" || fail "expected 1,152 trainable parameters"

# What `petlab new-method` writes, with its test.
"$petlab" new-method my-gain --to "$folder" >/dev/null
"$cmake" -S "$folder/my-gain" -B "$folder/my-gain/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$folder/petlab" \
  -DBACKBONE="$source/harness/backbones/petlab-icon-clip" >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2; fail "the new method's configuration failed"; }
"$cmake" --build "$folder/my-gain/build" >"$folder/build.log" 2>&1 ||
  { cat "$folder/build.log" >&2; fail "the new method was not built"; }
(cd "$folder/my-gain/build" && ctest --output-on-failure) || fail "the new method's test failed"

# The same method in Python, where the installed petlab can host such.
if [ -e "$folder/petlab/lib/petlab/python/python_bridge.so" ]; then
  mkdir "$folder/python"
  block python >"$folder/python/mlp_gain.py"
  said=$("$petlab" describe mlp-gain --plugin-dir "$folder/python" --count \
    --backbone "$source/harness/backbones/petlab-icon-clip")
  grep -q "^trainable 2,304 " <<<"$said" || fail "expected 2,304 trainable parameters in Python"
fi
own=$("$petlab" plugins)
grep -q "coop" <<<"$own" || fail "the installed program does not find its own plugins"
# Away from the source tree the program finds what was installed with it.
tables=$(cd "$folder" && env -u PETLAB_HOME "$petlab" reproduce --list) || fail "reproduce --list of the installed program failed"
grep -q "multi-task" <<<"$tables" || fail "the installed program does not find its tables: $tables"
[ -s "$folder/petlab/share/man/man1/petlab.1" ] || fail "no manual page was installed"
[ -s "$folder/petlab/share/bash-completion/completions/petlab" ] || fail "no completion was installed"

# What was installed is removed, and nothing else.
touch "$folder/petlab/bin/of_somebody_else"
uninstall() { "$source/harness/setup/install.sh" --remove "$folder/petlab"; }
list=$folder/petlab/lib/cmake/petlab/installed_files.txt
cp "$list" "$folder/list"
echo ../list >>"$list"
! uninstall 2>"$folder/said" || fail "a list that leads out of the folder was followed"
grep -q "'../list', which is not inside" "$folder/said" || fail "it does not say which file is outside"
[ -x "$petlab" ] || fail "something was removed although the list was refused"
cp "$folder/list" "$list"
uninstall || fail "the removal failed"
left=$(cd "$folder/petlab" && find . -mindepth 1 | sort | xargs)
[ "$left" = "./bin ./bin/of_somebody_else" ] || fail "left behind: $left"
! uninstall 2>/dev/null || fail "what is not there was removed"
