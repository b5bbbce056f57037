"""What a method costs a step more when it is written in Python: pairs of the same method in C++ and in
Python (tests/methods/python), which train to the same bits.

    python_method_cost.py PETLAB [--data ICON_HOME] [--backbone DIR] [--rounds N]

Each round is a study of its own: every method once, one run at a time on one thread. Printed are
milliseconds a step, the median over epochs but the first and then over rounds, and the difference in %,
the median over rounds of the pairs' own: the two runs of a pair are neighbours in time, so that a change
of the machine's speed between rounds does not count.
"""

import argparse
import sqlite3
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [("coop", "coop-py"), ("lora", "lora-py"), ("kgcoop", "kgcoop-py")]

STUDY = """
[study]
name = python-method-cost
seeds = 1
[dataset]
name = icon-home
root = {data}
train-fraction = 0.10
[backbone]
dir = {backbone}
[train]
epochs = 4
batch = 8
"""


def steps(store):
    """Milliseconds a step of each epoch but the first, by method."""
    found = {}
    with sqlite3.connect(store) as connection:
        rows = connection.execute(
            "SELECT runs.method, epochs.epoch, epochs.seconds, epochs.steps FROM epochs "
            "JOIN runs ON runs.run_id = epochs.run_id WHERE epochs.phase = 'train'")
        for method, epoch, seconds, count in rows:
            if epoch > 0:
                found.setdefault(method, []).append(1000 * seconds / count)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("petlab")
    parser.add_argument("--data", default=ROOT / "datasets/data/icon-home")
    parser.add_argument("--backbone", default=ROOT / "harness/backbones/petlab-icon-clip")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    study = STUDY.format(data=arguments.data, backbone=arguments.backbone)
    for cpp, python in PAIRS:
        for method in (cpp, python):
            study += f"[row.{method}]\nmethod = {method}\nsharing = joint\n"
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.ini"
        file.write_text(study)
        for index in range(arguments.rounds):
            store = Path(folder) / f"{index}.sqlite"
            subprocess.run(
                [arguments.petlab, "run", file, "--store", store, "--workers", "1", "--threads", "1",
                 "--plugin-dir", ROOT / "tests/methods/python"],
                check=True, stdout=subprocess.DEVNULL)
            for method, times in steps(store).items():
                seen.setdefault(method, []).append(statistics.median(times))
    for cpp, python in PAIRS:
        a, b = statistics.median(seen[cpp]), statistics.median(seen[python])
        more = sorted(100 * (p / c - 1) for c, p in zip(seen[cpp], seen[python]))
        print(f"{cpp:8} {a:8.2f} ms in C++, {b:8.2f} ms in Python: {statistics.median(more):+.1f} % "
              f"({more[0]:+.1f} to {more[-1]:+.1f})")


if __name__ == "__main__":
    main()
