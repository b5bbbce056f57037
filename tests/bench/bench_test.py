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

import growth  # noqa: E402
import growth_cluster  # noqa: E402
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


class Growth(unittest.TestCase):
    def test_a_study_goes_through_submit_collect_and_plan(self):
        out = SCRATCH / "growth"
        command = [sys.executable, HERE / "growth.py", BIN, "--only", "cluster", "--runs", "100", "--out", out]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        curves = growth.read(out / "growth.csv")
        known = [name for name in growth.EXPECTED if name.startswith("cluster: ")]
        self.assertEqual(sorted(curves), sorted(known))
        for curve, points in curves.items():
            self.assertEqual([x for x, *_ in points], [100], curve)
            self.assertGreater(points[0][1], 0, curve)
        table = (out / "growth.md").read_text()
        for name in known:
            self.assertIn(f"| {name} |", table)
        xml.dom.minidom.parse(str(out / "growth.svg"))

    def test_a_curve_that_grows_faster_is_flagged(self):
        for exponent, flagged in ((1.0, []), (2.0, [f"{growth_cluster.PLAN}: time grows faster"])):
            points = [(n, n ** exponent / 1e4, 0, 0) for n in growth_cluster.RUNS]
            self.assertEqual(growth.table({growth_cluster.PLAN: points})[1], flagged)


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
