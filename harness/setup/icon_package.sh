#!/usr/bin/env bash
# The data package of Icon-Home: prints the folder that holds its package.json and json/.
#
# PETLAB_ICON_PACKAGE names a folder with the unpacked package for machines without the registry.
set -euo pipefail
. "$(dirname "$0")/common.sh"
readonly package=@iconify/json version=2.2.535
readonly integrity=sha512-nAV60ACUSHwnsb6fsp+letHlNkrwO4vzBtcC6B4EDHErQQfezk7E3nJdnwJjve6OCfMNO0uVT5Vrgna9/NCmXw==
cache=$PETLAB_HOME/datasets/cache
folder=${PETLAB_ICON_PACKAGE:-$cache/iconify-json-$version}

if [ -f "$folder/package.json" ]; then
  grep -q "\"version\": \"$version\"" "$folder/package.json" ||
    fail "$folder holds another version of $package than $version; remove it or set PETLAB_ICON_PACKAGE"
  step "Icon package $package@$version: there"
  echo "$folder"
  exit 0
fi
[ -z "${PETLAB_ICON_PACKAGE:-}" ] || fail "PETLAB_ICON_PACKAGE=$folder has no package.json; name the folder with the unpacked $package"
command -v npm >/dev/null || fail "npm is missing: it fetches the icon drawings ($package@$version); install it, or set PETLAB_ICON_PACKAGE"

step "Icon package: fetching $package@$version, 104 MB, 0.5 GB unpacked (about 1 minute)"
mkdir -p "$cache"
new=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$new"' EXIT
npm pack --loglevel=error --no-progress --pack-destination "$new" "$package@$version" >"$new/npm.log" 2>&1 </dev/null || {
  head -n 6 "$new/npm.log" >&2
  fail "npm could not fetch $package@$version (its reason is above); check the network, or set PETLAB_ICON_PACKAGE"
}
archive=$(echo "$new"/*.tgz)
found=sha512-$(python3 -c '
import base64, hashlib, sys
print(base64.b64encode(hashlib.file_digest(open(sys.argv[1], "rb"), "sha512").digest()).decode())' "$archive")
[ "$found" = "$integrity" ] || fail "$package@$version is not the archive that Icon-Home was made from: expected $integrity, got $found"

mkdir "$new/unpacked"
tar -xzf "$archive" -C "$new/unpacked" --no-same-owner --strip-components=1 package/package.json package/json ||
  fail "tar could not unpack $package@$version; is the disk full?"
rm -rf "$folder"
mv "$new/unpacked" "$folder"
echo "$folder"
