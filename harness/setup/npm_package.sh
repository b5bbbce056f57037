# npm_package: one archive of the npm registry, checked and unpacked. Sourced after common.sh.

# npm_package PACKAGE VERSION INTEGRITY FOLDER VARIABLE SIZE PATHS...
#
# Unpacks the PATHS of the archive into FOLDER, unless they are there. VARIABLE is what a user sets to
# a folder with the unpacked package on a machine without the registry; it then is FOLDER.
npm_package() {
  local package=$1 version=$2 integrity=$3 folder=$4 variable=$5 size=$6
  shift 6
  if [ -f "$folder/package.json" ]; then
    grep -q "\"version\": \"$version\"" "$folder/package.json" ||
      fail "$folder holds another version of $package than $version; remove it or set $variable"
    step "Package $package@$version: there"
    return 0
  fi
  [ -z "${!variable:-}" ] ||
    fail "$variable=$folder has no package.json; name the folder with the unpacked $package"
  command -v npm >/dev/null ||
    fail "npm is missing: it fetches $package@$version; install it, or set $variable to the unpacked package"

  step "Fetching $package@$version, $size"
  local cache new archive found
  cache=$(dirname "$folder")
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/.new-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$new'" EXIT
  # A cache of its own: the home of the user may be missing or read-only.
  npm pack --cache "$new/npm" --loglevel=error --no-progress --pack-destination "$new" "$package@$version" >"$new/npm.log" 2>&1 </dev/null || {
    head -n 6 "$new/npm.log" >&2
    fail "npm could not fetch $package@$version (its reason is above); check the network, or set $variable"
  }
  archive=$(echo "$new"/*.tgz)
  found=sha512-$(python3 -c '
import base64, hashlib, sys
print(base64.b64encode(hashlib.file_digest(open(sys.argv[1], "rb"), "sha512").digest()).decode())' "$archive")
  [ "$found" = "$integrity" ] ||
    fail "$package@$version is not the archive that petlab was made with: expected $integrity, got $found"
  mkdir "$new/unpacked"
  tar -xzf "$archive" -C "$new/unpacked" --no-same-owner --strip-components=1 "${@/#/package/}" ||
    fail "tar could not unpack $package@$version; is the disk full?"
  rm -rf "$folder"
  mv "$new/unpacked" "$folder"
}
