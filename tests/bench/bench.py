"""petlab and Python peers side by side: `make bench`. README.md of this folder explains it.

    bench.py [--quick] [--tiny] [--rounds N] [--out FOLDER] [WORK...]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import inputs
import measure
import sides
import study
import tables
import works

ROOT = Path(__file__).resolve().parents[2]


def parse():
    parser = argparse.ArgumentParser(description="petlab and Python peers side by side")
    parser.add_argument("works", nargs="*", help="works by name; default: all")
    parser.add_argument("--quick", action="store_true", help="two rounds of each, nothing compiled")
    parser.add_argument("--tiny", action="store_true", help="a CLIP of two small layers: tests the benchmark only")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each work")
    parser.add_argument("--seconds", type=float, default=240, help="a work begins no further round after these")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    parser.add_argument("--program", type=Path, default=ROOT / "build/bin/bench_step")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench", help="weights, pictures, compiled code")
    parser.add_argument("--out", type=Path, default=ROOT / "reports/out/bench")
    options = parser.parse_args()
    known = [work.name for work in works.WORKS]
    for name in options.works:
        if name not in known:
            parser.error(f"unknown work '{name}', expected some of: {' '.join(known)}")
    if options.quick:
        options.rounds, options.compile = options.rounds or 2, False
    return options


def cpu_level(options):
    """The CPU level of petlab, with the peers and torch.mm held to it: once more from the start where
    the environment has to change, since torch asks for it as it is loaded."""
    answer = subprocess.run([options.program, "--cpu-level"], check=True, stdout=subprocess.PIPE, text=True).stdout
    answer = json.loads(answer)
    if any(os.environ.get(name) != value for name, value in answer["environment"].items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], dict(os.environ, **answer["environment"]))
    return answer["level"]


def main():
    options = parse()
    options.level = cpu_level(options)
    begun = time.perf_counter()
    options.model, options.pictures = inputs.prepare(options.cache, "tiny" if options.tiny else "vit-b16")
    busy = os.getloadavg()[0]
    if busy > 1.0:
        print(f"bench: other programs use this machine (load {busy:.1f}); what is measured now means little",
              file=sys.stderr)
    folder = options.cache / "work"
    folder.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    peak = sides.MatrixPeak(options.threads, (256,) if options.tiny else (2048, 4096))
    results, failed = [], []
    for work in works.WORKS:
        if options.works and work.name not in options.works:
            continue
        print(f"[{time.perf_counter() - begun:5.0f} s] {work.title}", flush=True)
        try:
            result = (study if work.name == "study" else measure).measure(work, options, folder, peak)
        except RuntimeError as error:
            print(f"          FAILED: {error}", flush=True)
            failed.append(work.name)
            continue
        results.append(result)
        print(f"          {tables.one_line(result, peak.best)}", flush=True)
        facts = tables.facts(options, peak.best, time.perf_counter() - begun, busy)
        (options.out / "bench.json").write_text(json.dumps({"facts": facts, "works": results}, indent=1))
        tables.write(options.out, facts, results)
    print(f"\n{(options.out / 'bench.md').read_text()}\nin {options.out}")
    if failed:
        sys.exit(f"failed: {' '.join(failed)}")
    different = [r["name"] for r in results if r["check"]["same"] is False]
    if different:
        sys.exit(f"the sides did not do the same in: {' '.join(different)}")


if __name__ == "__main__":
    main()
