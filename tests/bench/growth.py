"""How cost grows: runs growth_steps, growth_report and petlab (growth_cluster.py), fits each curve's exponent,
and writes a CSV, a table and plots into reports/out/bench/growth/.

    growth.py [BINARIES] [--runs 100000] [--threads 2] [--only steps|report|cluster] [--read]

--read draws again what an earlier call measured.
"""

import argparse
import csv
import math
import subprocess
import sys
from collections import defaultdict
from html import escape
from pathlib import Path

import growth_cluster

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "reports/out/bench/growth"
RUNS = (10, 100, 1000, 10_000, 100_000)
PARTS = ("report", "steps", "cluster")
SLACK = 0.15  # what noise may add to an exponent

# The exponent that each curve may have on its upper half, and why. Seconds and bytes; None: not fitted.
EXPECTED = {
    "classes": (1.0, 1.0, "each class is a text"),
    "tasks": (1.0, 1.0, "each task brings its images, and its classes where prompts are its own"),
    "prompts": (1.0, 1.0, "sequences grow by the prompts; attention among 32 of them is small"),
    "prompted layers": (1.0, 1.0, "more layers need a gradient"),
    "batch": (1.0, 1.0, "each image is a sequence"),
    "store": (1.0, None, "a transaction a run"),
    "store: one more run": (0.1, None, "whatever is stored already"),
    "report": (1.0, None, "every run is read once; charts stop growing at 200 runs"),
    "partitions: exact": (None, None, "Bell numbers: exact up to 12 tasks only"),
    "partitions: local": (3.0, None, "n rounds of moves, each over n tasks and up to n groups"),
    growth_cluster.SUBMIT: (1.0, 1.0, "an order a run; sbatch once for 1,001 of them"),
    growth_cluster.DRY_RUN: (1.0, 1.0, "what a run costs is expected once for each kind of runs"),
    growth_cluster.COLLECT: (0.1, 0.1, "whatever is ordered and stored already"),
    growth_cluster.PLAN: (1.0, 1.0, "each run is read, a queued one found by its name"),
    growth_cluster.WORKER: (1.0, None, "reads its own order, and the names of all runs and results"),
}


def expectation(curve):
    for name in (curve, curve.split(": ")[-1], curve.split(":")[0]):
        if name in EXPECTED:
            return EXPECTED[name]
    return (1.0, 1.0, "")


def slope(points):
    """Least-squares exponent of the upper half of (x, y) in logarithms; None with under three points."""
    points = sorted((x, y) for x, y in points if x > 0 and y > 0)
    upper = points[-max(3, (len(points) + 1) // 2):]
    if len(upper) < 3:
        return None
    logs = [(math.log(x), math.log(y)) for x, y in upper]
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def read(path):
    curves = defaultdict(list)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            curves[row["curve"]].append((float(row["x"]), float(row["seconds"]), float(row["bytes"]),
                                         float(row["processor"])))
    return curves


def clock(seconds, processor):
    """What exponents are fitted to: the processor's seconds where one thread works, which others do not slow."""
    return processor if processor > 0 else seconds


def judge(measured, allowed):
    if measured is None or allowed is None:
        return "–", ""
    text = f"{measured:.2f} of {allowed:g}"
    return text, "grows faster" if measured > allowed + SLACK else ""


def number(value, digits=3):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.{digits}g}"


def table(curves):
    lines = ["| curve | from | to | seconds | of one processor | exponent | peak MB of the step or the process | exponent | |",
             "|---|---|---|---|---|---|---|---|---|"]
    flagged = []
    for curve, points in curves.items():
        points = sorted(points)
        seconds, memory, _ = expectation(curve)
        time_text, slow = judge(slope([(x, clock(s, p)) for x, s, _, p in points]), seconds)
        has_memory = any(b > 0 for _, _, b, _ in points)
        memory_text, fat = judge(slope([(x, b) for x, _, b, _ in points]), memory) if has_memory else ("–", "")
        processor = f"{number(points[0][3])} to {number(points[-1][3])}" if points[-1][3] > 0 else "–"
        flag = "; ".join(f"{what} {word}" for what, word in (("time", slow), ("memory", fat)) if word)
        if flag:
            flagged.append(f"{curve}: {flag}")
        megabytes = f"{number(points[0][2] / 1e6)} to {number(points[-1][2] / 1e6)}" if has_memory else "–"
        lines.append(f"| {curve} | {points[0][0]:,.0f} | {points[-1][0]:,.0f} | {number(points[0][1])} to "
                     f"{number(points[-1][1])} | {processor} | {time_text} | {megabytes} | {memory_text} | {flag} |")
    return "\n".join(lines) + "\n", flagged


# ------------------------------------------------------------------------------------------ plots

COLOURS = ("#4269d0", "#c2500a", "#13795b", "#a63d80", "#7a6400", "#5b4bb5", "#b3261e", "#3d6470", "#555555")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 430, 300, 62, 40, 34
PER_RUNS = {"store": "store", "report": "report", "cluster": "a study on a cluster"}  # titles


def ticks(low, high):
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** e for e in range(first, last + 1) if low <= 10.0 ** e <= high]


def panel(title, x_name, y_name, lines, left, top):
    """Lines [(name, [(x, y)])] on logarithmic axes, with a grey line of slope 1."""
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points]
    low_x, high_x, low_y, high_y = min(xs) / 1.15, max(xs) * 1.15, min(ys) / 1.5, max(ys) * 1.5
    wide, tall = WIDTH - LEFT - 18, HEIGHT - TOP - BOTTOM - 14 * len(lines)

    def at(x, y):
        return (left + LEFT + wide * math.log(x / low_x) / math.log(high_x / low_x),
                top + TOP + tall * (1 - math.log(y / low_y) / math.log(high_y / low_y)))

    out = [f'<text x="{left + LEFT}" y="{top + 18}" font-size="14" font-weight="600">{escape(title)}</text>',
           f'<rect x="{left + LEFT}" y="{top + TOP}" width="{wide}" height="{tall}" fill="none" stroke="#888"/>']
    for x in ticks(low_x, high_x):
        out.append(f'<line x1="{at(x, low_y)[0]:.1f}" x2="{at(x, low_y)[0]:.1f}" y1="{top + TOP}" y2="{top + TOP + tall}" stroke="#ddd"/>'
                   f'<text x="{at(x, low_y)[0]:.1f}" y="{top + TOP + tall + 14}" text-anchor="middle">{x:,.0f}</text>')
    for y in ticks(low_y, high_y):
        out.append(f'<line x1="{left + LEFT}" x2="{left + LEFT + wide}" y1="{at(low_x, y)[1]:.1f}" y2="{at(low_x, y)[1]:.1f}" stroke="#ddd"/>'
                   f'<text x="{left + LEFT - 6}" y="{at(low_x, y)[1] + 4:.1f}" text-anchor="end">{y:g}</text>')
    reach = min(high_x / low_x, high_y / low_y)
    (x1, y1), (x2, y2) = at(low_x, low_y), at(low_x * reach, low_y * reach)
    out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#aaa" stroke-dasharray="4 4"/>')
    out.append(f'<text x="{left + LEFT + wide}" y="{top + TOP + tall + 28}" text-anchor="end">{escape(x_name)}</text>'
               f'<text x="{left + LEFT + 6}" y="{top + TOP + 14}">{escape(y_name)}</text>')
    for i, (name, points) in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{at(x, y)[0]:.1f},{at(x, y)[1]:.1f}" for x, y in sorted(points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{at(x, y)[0]:.1f}" cy="{at(x, y)[1]:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        y = top + HEIGHT - 4 - 14 * (len(lines) - 1 - i)
        found = slope(points)
        words = name if found is None else f"{name}: exponent {found:.2f}"
        out.append(f'<rect x="{left + LEFT}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
                   f'<text x="{left + LEFT + 16}" y="{y}">{escape(words)}</text>')
    return "\n".join(out)


def svg(curves):
    groups = defaultdict(list)
    for curve, points in curves.items():
        kind, _, against = curve.partition(": ")
        if kind in PER_RUNS:
            groups["runs", PER_RUNS[kind], "runs", "seconds of one processor"].append((against, [(x, clock(s, p)) for x, s, _, p in points]))
            if any(b > 0 for _, _, b, _ in points):
                groups["memory", PER_RUNS[kind] + ": memory", "runs", "MB"].append((against, [(x, b / 1e6) for x, _, b, _ in points]))
        elif kind == "partitions":
            groups["tasks", "partition search", "tasks", "seconds of one processor"].append((against, [(x, clock(s, p)) for x, s, _, p in points]))
        else:
            groups[against, "a step against " + against, against, "seconds"].append((kind, [(x, s) for x, s, _, _ in points]))
            groups[against, "tensors of a step against " + against, against, "MB"].append((kind, [(x, b / 1e6) for x, _, b, _ in points]))
    tall = max(HEIGHT + 14 * max(0, len(lines) - 3) for lines in groups.values())
    rows = (len(groups) + 1) // 2
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * tall + 20}" font-family="sans-serif" font-size="11" '
           'fill="#1f2328" role="img"><title>How cost grows</title><rect width="100%" height="100%" fill="white"/>']
    for i, ((_, title, x_name, y_name), lines) in enumerate(groups.items()):
        lines = [(name, [(x, y) for x, y in points if y > 0]) for name, points in lines]
        out.append(panel(title, x_name, y_name, [line for line in lines if line[1]], (i % 2) * WIDTH, (i // 2) * tall))
    return "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binaries", nargs="?", type=Path, default=ROOT / "build/bin")
    parser.add_argument("--runs", type=int, default=RUNS[-1], help="most runs of a store or a study")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--read", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    data = options.out / "growth.csv"
    if not options.read:
        data.write_text("curve,x,seconds,bytes,processor\n")
        parts = [options.only] if options.only else PARTS
        if "report" in parts:
            runs = [str(n) for n in RUNS if n <= options.runs]
            subprocess.run([options.binaries / "growth_report", data, *runs], check=True)
        if "steps" in parts:
            subprocess.run([options.binaries / "growth_steps", data, str(options.threads)], check=True)
        if "cluster" in parts:
            growth_cluster.measure(options.binaries.resolve(), data.resolve(), options.runs)
    curves = read(data)
    text, flagged = table(curves)
    verdict = ("Faster than they must grow: " + "; ".join(flagged) + "." if flagged
               else "No curve grows faster than it must.")
    (options.out / "growth.md").write_text(
        "# How cost grows\n\nExponents are fitted to the upper half of each curve (1: in proportion), beside the one "
        f"that the work explains; more than {SLACK} above it is flagged.\n\n" + text + "\n" + verdict + "\n")
    (options.out / "growth.svg").write_text(svg(curves))
    print("\n" + text + "\n" + verdict)
    print(f"wrote {options.out}/growth.md, growth.csv, growth.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
