#!/usr/bin/env bash
# Builds petlab with the CUDA build of LibTorch and runs on an NVIDIA GPU what there is to run: every
# method beside the CPU, a small study on both devices, and the benchmark of training steps. Writes
# reports/out/gpu/report.md. Exit codes: 0 all is well, 1 something failed (the report says what),
# 77 there is no NVIDIA GPU or no CUDA build of LibTorch here.
#
#   tests/gpu/run.sh [OUT]      GPU_TEST_STUDY=0 leaves the study out (it needs Icon-Home)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../harness/setup/common.sh"
cd "$PETLAB_HOME"
out=${1:-reports/out/gpu}

none() {
  echo "tests/gpu/run.sh: $1; nothing was run" >&2
  exit 77
}

# ------------------------------------------------------------------------------ is there a GPU?
command -v nvidia-smi >/dev/null || none "there is no NVIDIA driver here (nvidia-smi is not found)"
gpu=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null) ||
  none "nvidia-smi finds no NVIDIA GPU here"
gpu=${gpu%%$'\n'*}
torch=$(harness/setup/libtorch.sh)
[ -e "$torch/lib/libtorch_cuda.so" ] || none "LibTorch in $torch is a CPU build (no libtorch_cuda.so)"

mkdir -p "$out"
report=$out/report.md
failed=0
version=$(sed -n 's/^#define TORCH_VERSION \(.*\)$/\1/p' "$torch/include/torch/headeronly/version.h" | tr -d '"' || true)
{
  echo "# petlab on a GPU"
  echo
  echo "- GPU, driver, memory: $gpu"
  echo "- LibTorch: ${version:-unknown}, $(basename "$(ls "$torch"/lib/libcudart*.so* 2>/dev/null | head -n 1)" || true)"
  echo "- processor: $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores"
  echo "- sources: $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  echo
  echo "| check | result | seconds |"
  echo "|---|---|---|"
} >"$report"

# check NAME COMMAND...: one line of the report; the output goes to OUT/NAME.log.
check() {
  local name=$1 start=$SECONDS result=passed
  shift
  step "$name"
  "$@" >"$out/$name.log" 2>&1 || { result="FAILED, see $name.log"; failed=1; }
  echo "| $name | $result | $((SECONDS - start)) |" >>"$report"
  echo "$name: $result" >&2
}

# ----------------------------------------------------------------------------------- the checks
harness/setup/system_packages.sh tests
check build harness/setup/build.sh petlab petlab_plugins device_tests growth_steps
check methods-beside-cpu env PETLAB_TEST_DEVICE=cuda build/bin/device_tests

if [ "${GPU_TEST_STUDY:-1}" != 0 ]; then
  harness/setup/icon_home.sh
  for device in cpu cuda; do
    check "study-$device" build/bin/petlab run harness/protocols/demo.ini --device "$device" --seeds 1 \
      --store "$out/$device.sqlite" --no-table
    check "report-$device" build/bin/petlab report --store "$out/$device.sqlite" --out "$out/$device"
  done
fi
check steps-cpu build/bin/growth_steps "$out/steps-cpu.csv" "$(nproc)" cpu
check steps-cuda build/bin/growth_steps "$out/steps-cuda.csv" "$(nproc)" cuda

# --------------------------------------------------------------------------------- the figures
if [ -s "$out/steps-cpu.csv" ] && [ -s "$out/steps-cuda.csv" ]; then
  {
    echo
    echo "## A training step"
    echo
    echo "CLIP of 12 layers of width 192, 64 px (tests/bench/GROWTH.md); peak: tensors of the step."
    echo
    echo "| curve | at | seconds, CPU | seconds, GPU | ratio | peak MB, GPU |"
    echo "|---|---|---|---|---|---|"
    awk -F, 'FNR == NR { cpu[$1 "," $2] = $3; next }
             ($1 "," $2) in cpu && $1 !~ /^partitions/ {
               printf "| %s | %s | %.4f | %.4f | %.1f | %.0f |\n", $1, $2, cpu[$1 "," $2], $3, cpu[$1 "," $2] / $3, $4 / 1e6
             }' "$out/steps-cpu.csv" "$out/steps-cuda.csv"
  } >>"$report"
fi
for device in cpu cuda; do
  [ -e "$out/$device/report.md" ] || continue
  { echo; echo "## The study on $device"; echo; sed -n '/^| row/,/^$/p' "$out/$device/report.md"; } >>"$report"
done
step "Report: $report"
exit $failed
