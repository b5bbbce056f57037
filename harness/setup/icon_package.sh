#!/usr/bin/env bash
# The data package of Icon-Home: prints the folder that holds its package.json and json/.
#
#   icon_package.sh [CACHE]: the folder in which it is unpacked; default datasets/cache
#
# PETLAB_ICON_PACKAGE names a folder with the unpacked package for machines without the registry.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/npm_package.sh"
version=2.2.535
folder=${PETLAB_ICON_PACKAGE:-${1:-$PETLAB_HOME/datasets/cache}/iconify-json-$version}
npm_package @iconify/json "$version" \
  sha512-nAV60ACUSHwnsb6fsp+letHlNkrwO4vzBtcC6B4EDHErQQfezk7E3nJdnwJjve6OCfMNO0uVT5Vrgna9/NCmXw== \
  "$folder" PETLAB_ICON_PACKAGE "104 MB, 0.5 GB unpacked (about 1 minute)" package.json json
echo "$folder"
