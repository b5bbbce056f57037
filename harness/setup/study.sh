#!/usr/bin/env bash
# Runs what a study is missing, then prints and writes its report.
#
#   study.sh PROTOCOL STORE REPORT_FOLDER [OPTIONS OF petlab run...]
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$PETLAB_HOME"
protocol=$1 store=$2 out=$3
shift 3
step "Study $protocol: about 2 minutes a seed on 2 cores; runs already in $store are not repeated"
build/bin/petlab run "$protocol" --store "$store" --no-table "$@"
step "Report into $out"
# Options make a variant of the study, with a name of its own.
name=$(build/bin/petlab plan "$protocol" --store "$store" "$@" --protocol |
  awk '/^\[/ { section = $0 } section == "[study]" && sub(/^name = /, "") { name = $0 } END { print name }')
build/bin/petlab report --store "$store" --study "${name//\"/}" --out "$out"
