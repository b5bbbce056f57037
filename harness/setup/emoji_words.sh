#!/usr/bin/env bash
# Words for the captions of pretraining: prints two folders, each with its package.json, one a line:
# emojibase-data (groups and tags of emoji) and emojilib (keywords). Both are MIT.
#
# PETLAB_EMOJIBASE_PACKAGE and PETLAB_EMOJILIB_PACKAGE name folders with the unpacked packages for
# machines without the registry.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/npm_package.sh"
base_version=17.0.0
base=${PETLAB_EMOJIBASE_PACKAGE:-$PETLAB_HOME/datasets/cache/emojibase-data-$base_version}
npm_package emojibase-data "$base_version" \
  sha512-Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA== \
  "$base" PETLAB_EMOJIBASE_PACKAGE "7 MB (some seconds)" package.json LICENSE en/data.json en/messages.json
lib_version=4.0.3
lib=${PETLAB_EMOJILIB_PACKAGE:-$PETLAB_HOME/datasets/cache/emojilib-$lib_version}
npm_package emojilib "$lib_version" \
  sha512-KbWiYre9aRSaPbHrHZIz9zmoM+21LAsK1VFJtnTh1VCtWE/rNMDviGhQTmselFl95dhqtGlY22iH0leG5BuW0g== \
  "$lib" PETLAB_EMOJILIB_PACKAGE "0.1 MB (a second)" package.json LICENSE dist
echo "$base"
echo "$lib"
