#!/usr/bin/env bash
# The charting library of the reports, Apache ECharts: prints the folder that holds its package.json,
# LICENSE, NOTICE and dist/echarts.min.js. The build embeds it into petlab.
#
# PETLAB_CHARTS_PACKAGE names a folder with the unpacked package for machines without the registry.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/npm_package.sh"
version=6.1.0
folder=${PETLAB_CHARTS_PACKAGE:-$PETLAB_HOME/reports/cache/echarts-$version}
npm_package echarts "$version" \
  sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA== \
  "$folder" PETLAB_CHARTS_PACKAGE "12 MB (some seconds)" package.json LICENSE NOTICE dist/echarts.min.js
echo "$folder"
