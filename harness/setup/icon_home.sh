#!/usr/bin/env bash
# The embedded data set: fetches the drawings and renders them; skips what is there.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$PETLAB_HOME"
package=$(harness/setup/icon_package.sh)
step "Data set Icon-Home: 4,000 images (first time about 1 minute)"
build/bin/petlab datasets build icon-home --package "$package"
