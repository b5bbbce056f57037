#!/usr/bin/env bash
# Equal short trainings that differ in one thing, judged on held-out designers, never on evaluation
# pictures. Prints a table; what was done is not done again.
#
#   harness/pretrain/trials.sh MINUTES [NAME...]      each NAME is one of those below; default: all
#
# Run them one after the other on a quiet machine: the schedule follows the clock.
set -euo pipefail
. "$(dirname "$0")/../setup/common.sh"
cd "$PETLAB_HOME"
minutes=${1:?how many minutes each}
shift
declare -A settings=(
  [default]=""
  # Captions: more that tell nothing but the name; without words that say nothing around them.
  [captions-mostly-names]="bare-captions=55 plain-captions=25"
  [captions-half-names]="bare-captions=35 plain-captions=20"
  [no-noise]="noise-captions=0"
  # What makes the context count.
  [no-pairs]="pair-share=0"
  [more-pairs]="pair-share=0.6"
  [no-facts]="fact-weight=0"
  # Losses.
  [sigmoid]="contrast=sigmoid"
  [queue-2048]="queue=2048"
  [contrast-x2]="contrast-weight=2"
  # What the first part of the training looks at.
  [smaller-first]="early-view=smaller early-grid=4"
  [patches-first]="early-view=patches early-grid=5"
  # A residual network trained first, in a quarter or half of the time, whose soft targets the pictures
  # learn.
  [distillation]="distillation=0.5"
  [distillation-half]="distillation=0.5 teacher-share=0.5"
  # Optimisation.
  [layer-decay]="layer-decay=0.85"
  [batch-256]="batch-size=256 learning-rate=1e-3"
  [rate-1e-3]="learning-rate=1e-3"
  # Shapes, all within 8 million parameters: deeper, and narrower in the text tower.
  [vision-8]="vision-layers=8"
  [text-4x128]="text-layers=4 text-width=128 text-heads=4"
)
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(printf '%s\n' "${!settings[@]}" | sort)

package=$(harness/setup/icon_package.sh)
mapfile -t words < <(harness/setup/emoji_words.sh)
runs=harness/pretrain/runs
for name in "${names[@]}"; do
  [ -n "${settings[$name]+known}" ] || fail "no trial is called $name; there are: ${!settings[*]}"
  out=$runs/trial-$minutes-$name
  [ ! -e "$out/done" ] || continue
  step "Trial $name, $minutes minutes"
  options=()
  for setting in ${settings[$name]}; do options+=(--set "$setting"); done
  build/bin/petlab pretrain --package "$package" --emojibase "${words[0]}" --emojilib "${words[1]}" \
    --pictures "$runs" --out "$out" --minutes "$minutes" "${options[@]}" 2>&1 | tee "$out.txt" | tail -n 5
  touch "$out/done"
done

echo "| trial | pictures/s | names alone % | right style % | wrong style % | style told % | by designer, names alone |"
echo "|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  python3 - "$name" "$runs/trial-$minutes-$name" <<'PYTHON'
import csv, pathlib, sys

name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
settings = dict(line.strip().split(" = ", 1) for line in open(folder / "settings.txt") if " = " in line)
rows = list(csv.DictReader(open(folder / "log.csv")))
last = [row for row in rows if row["step"] == rows[-1]["step"]]
mean = lambda key: 100 * sum(float(row[key]) for row in last) / len(last)
speed = int(last[0]["step"]) * int(settings["batch-size"]) / float(last[0]["seconds"])
each = ", ".join(f"{row['designer']} {100 * float(row['bare']):.1f}" for row in last)
print(f"| {name} | {speed:.0f} | {mean('bare'):.1f} | {mean('matched style'):.1f} | "
      f"{mean('wrong style'):.1f} | {mean('style told'):.1f} | {each} |")
PYTHON
done
