"""The benchmark on a tiny CLIP: that every side starts, does the same work and comes into the tables.

    bench_test.py BIN_FOLDER SCRATCH_FOLDER
"""

import csv
import json
import subprocess
import sys
import unittest
import xml.dom.minidom
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import tables  # noqa: E402
import works  # noqa: E402

BIN = SCRATCH = None
WORKS = ["mmap", "coop", "full", "evaluate", "groups"]


class Bench(unittest.TestCase):
    def test_sides_do_the_same_and_come_into_the_tables(self):
        out = SCRATCH / "out"
        command = [sys.executable, HERE / "bench.py", "--tiny", "--no-compile", "--rounds", "2", "--threads", "1",
                   "--program", BIN / "bench_step", "--cache", SCRATCH, "--out", out, *WORKS]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = json.loads((out / "bench.json").read_text())["works"]
        self.assertEqual([r["name"] for r in results], WORKS)
        for r in results:
            for side in ("petlab", "published", "strong"):
                self.assertGreater(r["seconds"][side][1], 0)
                self.assertGreater(r["memory"][side], 10 << 20)
            if r["name"] != "evaluate":
                self.assertIs(r["check"]["same"], True, r["check"])
                self.assertLess(max(r["check"]["change"].values()), 0.02)
        self.assertGreater(results[WORKS.index("coop")]["once"]["petlab"], 0)
        with open(out / "bench.csv") as file:
            self.assertEqual(len(list(csv.reader(file))), 1 + 3 * len(WORKS))
        table = (out / "bench.md").read_text()
        for work in works.WORKS:
            self.assertEqual(work.name in WORKS, work.title in table)
        xml.dom.minidom.parse(str(out / "bench.svg"))


class Tables(unittest.TestCase):
    def test_goals_are_met_by_the_median(self):
        self.assertEqual(tables.met([1.5, 1.1, 2.0], 1.5), "yes")
        self.assertEqual(tables.met([1.49, 1.1, 2.0], 1.5), "no")

    def test_coop_takes_the_steps_of_ten_epochs(self):
        self.assertEqual(sum(works.TEN_PERCENT.values()), 1559)
        self.assertEqual(works.coop_rounds(next(w for w in works.WORKS if w.name == "coop")), 125)

    def test_every_goal_of_the_table_has_a_work(self):
        goals = sorted(w.goals for w in works.WORKS if w.goals)
        expected = [(6, 1.5)] * 4 + [(50, 1.5), (1.3, 1.1), (1.1, 1.0), (1.5, 1.1), (2, 1.5), (8, 2)]
        self.assertEqual(goals, sorted(expected))


if __name__ == "__main__":
    BIN, SCRATCH = Path(sys.argv[1]), Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])
