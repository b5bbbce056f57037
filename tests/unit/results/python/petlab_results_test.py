"""Tests of results/petlab_results.py on a store that the C++ library wrote, and of the measures of
`petlab report` against scikit-learn and numpy.

petlab_results_test.py SAMPLE_REPORT FOLDER: SAMPLE_REPORT writes FOLDER/runs.sqlite and its CSV
files. PYTHONPATH leads to results/.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import numpy
import pandas
import safetensors.numpy
from sklearn.metrics import balanced_accuracy_score, f1_score

import petlab_results
from petlab_results import StoreError, open_store

RESULTS = Path(petlab_results.__file__).parent
FOLDER = Path()


def calibration_error(right, probability):
    error = 0.0
    for low, high in zip(numpy.arange(15) * 4369 / 65535, numpy.arange(1, 16) * 4369 / 65535):
        inside = (probability > low) & (probability <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - probability[inside].mean())
    return error


class Frames(unittest.TestCase):
    def setUp(self):
        self.store = open_store(FOLDER / "runs.sqlite")
        self.addCleanup(self.store.close)

    def test_studies_and_runs(self):
        self.assertEqual(self.store.studies(), ["demo"])
        runs = self.store.runs("demo")
        self.assertEqual(len(runs), 12)
        self.assertEqual(dict(runs.status.value_counts()), {"done": 10, "failed": 1, "missing": 1})
        self.assertEqual(list(runs.label.unique())[0], "zero-shot")
        self.assertAlmostEqual(runs.mean_accuracy[0], 0.4)
        self.assertEqual(runs.backbone_parameters[0], 100000)
        failed = runs[runs.status == "failed"].iloc[0]
        self.assertIn("not finite", failed.error)
        self.assertEqual(failed.attempts, 2)
        self.assertTrue(pandas.isna(runs[runs.status == "missing"].iloc[0].attempts))
        pandas.testing.assert_frame_equal(runs, self.store.runs())

    def test_frames_are_the_views(self):
        accuracy = self.store.accuracy("demo")
        self.assertEqual(len(accuracy), 20)
        self.assertEqual(accuracy.accuracy[0], 0.5)
        parameters = self.store.parameters("demo")
        self.assertEqual(set(parameters.scope), {"frozen", "shared"})
        costs = self.store.costs("demo")
        self.assertEqual(set(costs.phase), {"setup", "train", "evaluate"})
        values = self.store.values("demo", "option")
        self.assertEqual(set(values.name), {"n_context"})
        self.assertGreater(len(self.store.values()), len(values))
        epochs = self.store.epochs("demo")
        self.assertEqual(len(epochs), 20)
        self.assertEqual(set(epochs.phase), {"train"})
        self.assertEqual(list(epochs.loss[:2]), [1.25, 0.75])

    def test_frames_agree_with_the_report(self):
        table = pandas.read_csv(FOLDER / "one" / "table.csv").set_index("row")
        runs = self.store.runs("demo")
        for label, of_row in runs[runs.status == "done"].groupby("label"):
            self.assertAlmostEqual(of_row.mean_accuracy.mean(), table.mean_accuracy[label], 12)

    def test_measures_of_the_report_are_those_of_scikit_learn(self):
        lines = pandas.read_csv(FOLDER / "one" / "runs.csv")
        lines = lines[lines.status == "done"]
        self.assertEqual(len(lines), 20)
        for _, line in lines.iterrows():
            images = self.store.predictions(line.run)
            images = images[images.task == line.task]
            self.assertEqual(len(images), line.n_test)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes that are an answer alone
                macro = balanced_accuracy_score(images.label, images.predicted)
            self.assertAlmostEqual(line.macro_accuracy, macro, 12)
            f1 = f1_score(images.label, images.predicted, average="macro")
            self.assertAlmostEqual(line.macro_f1, f1, 12)
            error = calibration_error(
                images.right.to_numpy(float), images.probability.to_numpy(float)
            )
            self.assertAlmostEqual(line.calibration_error, error, 12)

    def test_classes_and_confusions_of_the_report_are_those_of_the_predictions(self):
        classes = pandas.read_csv(FOLDER / "one" / "classes.csv")
        confusions = pandas.read_csv(FOLDER / "one" / "confusions.csv")
        for run in classes.run.unique():
            images = self.store.predictions(run)
            for _, line in classes[classes.run == run].iterrows():
                of_class = images[(images.task == line.task) & (images.true_class == line["class"])]
                self.assertEqual(line.n_test, len(of_class))
                self.assertEqual(line.n_correct, of_class.right.sum())
            counted = (
                images[~images.right]
                .groupby(["task", "true_class", "predicted_class"])
                .size()
                .to_dict()
            )
            said = {
                (line.task, line.true_class, line.answer_class): line.n
                for line in confusions[confusions.run == run].itertuples()
            }
            self.assertEqual(counted, said)

    def test_predictions_are_checked(self):
        run = self.store.runs("demo").run[0]
        images = self.store.predictions(run[:16])
        self.assertEqual(len(images), 20)
        self.assertEqual(list(images.columns[:4]), ["task", "sample_id", "label", "true_class"])
        self.assertEqual(images.right.sum(), 8)
        self.assertAlmostEqual(images.probability[0], 0.9, 4)
        for wrong in ("", "not a run"):
            with self.assertRaisesRegex(StoreError, "finished run begins"):
                self.store.predictions(wrong)

    def test_changed_predictions_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            changed = Path(folder) / "changed.sqlite"
            shutil.copy(FOLDER / "runs.sqlite", changed)
            with open_store(changed) as store:
                run = store.runs("demo").run[0]
            with sqlite3.connect(changed) as db:
                db.execute("UPDATE predictions SET data = zeroblob(length(data))")
            db.close()
            with open_store(changed) as store:
                with self.assertRaisesRegex(StoreError, "its result says 5"):
                    store.predictions(run)

    def test_unknown_study(self):
        for ask in (self.store.runs, self.store.accuracy, self.store.costs, self.store.values,
                    self.store.epochs):
            with self.assertRaisesRegex(StoreError, "holds no study 'x'; it holds: demo"):
                ask("x")


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_what_is_no_store(self):
        with self.assertRaisesRegex(StoreError, "there is no such file"):
            open_store(self.folder / "none.sqlite")
        (self.folder / "text").write_text("no database" * 100)
        with self.assertRaisesRegex(StoreError, "cannot be read"):
            open_store(self.folder / "text")
        with sqlite3.connect(self.folder / "other.sqlite") as db:
            db.execute("CREATE TABLE t (a)")
        db.close()
        with self.assertRaisesRegex(StoreError, "no results store of petlab"):
            open_store(self.folder / "other.sqlite")

    def test_other_schemas(self):
        for version, advice in ((2, "petlab merge"), (99, "install the petlab_results")):
            file = self.folder / f"{version}.sqlite"
            shutil.copy(FOLDER / "runs.sqlite", file)
            with sqlite3.connect(file) as db:
                db.execute(f"PRAGMA user_version = {version}")
            db.close()
            with self.assertRaisesRegex(StoreError, f"schema version {version}, .*{advice}"):
                open_store(file)

    def test_the_schema_is_the_one_of_this_tree(self):
        newest = max(int(file.name[:4]) for file in (RESULTS / "schema").glob("*.sql"))
        self.assertEqual(petlab_results.NEWEST_SCHEMA, newest)

    def test_nothing_is_written(self):
        with open_store(FOLDER / "runs.sqlite") as store:
            with self.assertRaises(sqlite3.OperationalError):
                store._db.execute("DELETE FROM studies")

    def test_adapters(self):
        file = self.folder / "runs.sqlite"
        shutil.copy(FOLDER / "runs.sqlite", file)
        with open_store(file) as store:
            run = store.runs("demo").run[0]
            expected = self.folder / "runs.sqlite.adapters" / f"{run}.safetensors"
            self.assertEqual(store.adapters_file(run[:12]), expected)
            with self.assertRaisesRegex(StoreError, re.escape(f"expected them in '{expected}'")):
                store.adapters(run)
            expected.parent.mkdir()
            expected.write_bytes(b"not tensors")
            with self.assertRaisesRegex(StoreError, "cannot be read"):
                store.adapters(run)
            values = {"shared.prompt": numpy.arange(6, dtype="float32").reshape(2, 3)}
            safetensors.numpy.save_file(values, expected, {"method": "coop"})
            arrays = store.adapters(run, framework="numpy")
            numpy.testing.assert_array_equal(arrays["shared.prompt"], values["shared.prompt"])
            tensors = store.adapters(run)
            self.assertEqual(type(tensors["shared.prompt"]).__name__, "Tensor")
            self.assertEqual(tuple(tensors["shared.prompt"].shape), (2, 3))
            self.assertEqual(store.adapters_metadata(run), {"method": "coop"})


class Wheel(unittest.TestCase):
    def test_is_made_of_its_files(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "results"
            source.mkdir()
            for name in ("petlab_results.py", "petlab_trackers.py", "pyproject.toml"):
                shutil.copy(RESULTS / name, source)
            built = subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation",
                 "--no-deps", "--no-index", "--disable-pip-version-check",
                 "--target", os.path.join(folder, "site"), str(source)],
                capture_output=True, text=True)
            self.assertEqual(built.returncode, 0, built.stderr)
            files = sorted(file.name for file in Path(folder, "site").glob("*.py"))
            self.assertEqual(files, ["petlab_results.py", "petlab_trackers.py"])


if __name__ == "__main__":
    program, FOLDER = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([program, str(FOLDER)], check=True)
    unittest.main(argv=sys.argv[:1])
