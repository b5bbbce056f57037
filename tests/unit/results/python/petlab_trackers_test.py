"""Tests of results/petlab_trackers.py on a store that the C++ library wrote: what it makes is read by
TensorBoard's loader and by MLflow's client.

petlab_trackers_test.py SAMPLE_REPORT FOLDER: SAMPLE_REPORT writes FOLDER/runs.sqlite. PYTHONPATH
leads to results/.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import petlab_trackers
from petlab_results import open_store
from petlab_trackers import TrackerError, to_mlflow, to_tensorboard

FOLDER = Path()


def printed_by(arguments):
    """(exit code, standard output, standard error) of the program."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            petlab_trackers.main([str(one) for one in arguments])
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), err.getvalue()


class Trackers(unittest.TestCase):
    def setUp(self):
        self.store = open_store(FOLDER / "runs.sqlite")
        self.addCleanup(self.store.close)
        self.runs = self.store.runs("demo")
        self.done = self.runs[self.runs.status == "done"]
        self.coop = self.done[self.done.method == "coop"].iloc[0]
        self.place = FOLDER / self.id().rsplit(".", 1)[-1]
        shutil.rmtree(self.place, ignore_errors=True)


class TensorBoard(Trackers):
    def read(self, folder):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder))
        events.Reload()
        return events

    def test_a_folder_of_each_finished_run(self):
        made, there = to_tensorboard(self.store, self.place)
        self.assertEqual((len(made), there), (len(self.done), 0))
        for line in self.done.itertuples():
            folder = self.place / "demo" / line.label / f"seed-{line.seed}-{line.run[:12]}"
            self.assertIn(folder, made)
            mean = self.read(folder).Scalars("accuracy/mean")
            self.assertAlmostEqual(mean[0].value, line.mean_accuracy, 6)

    def test_what_a_run_is_given(self):
        (folder,), _ = to_tensorboard(self.store, self.place, "demo", self.coop.run[:16])
        events = self.read(folder)
        loss = events.Scalars("train/loss")
        self.assertEqual([one.value for one in loss], [1.25, 0.75])
        self.assertEqual([one.step for one in loss], [1, 2])  # the sample's epochs have no steps
        rates = [one.value for one in events.Scalars("train/learning_rate")]
        self.assertAlmostEqual(rates[0], 0.002, 8)
        self.assertAlmostEqual(rates[1], 0.001, 8)
        accuracy = self.store.accuracy("demo")
        for task in accuracy[accuracy.run == self.coop.run].itertuples():
            (one,) = events.Scalars(f"accuracy/{task.task}")
            self.assertAlmostEqual(one.value, task.accuracy, 6)
            (one,) = events.Scalars(f"test_loss/{task.task}")
            self.assertAlmostEqual(one.value, task.loss, 6)
        parameters = self.store.parameters("demo")
        parameters = parameters[(parameters.run == self.coop.run) & (parameters.scope != "frozen")]
        (one,) = events.Scalars("parameters/trainable")
        self.assertEqual(one.value, parameters.trainable.sum())
        (one,) = events.Scalars("cost/evaluate/images_per_second")
        self.assertEqual(one.value, 10.0)
        self.assertNotIn("cost/setup/flops", events.Tags()["scalars"])  # not known
        text = events.Tensors("settings")[0].tensor_proto.string_val[0].decode()
        self.assertIn("| method | `coop` |", text)
        self.assertIn("| option.n_context | `4` |", text)

    def test_settings_and_end_are_those_of_the_hparams_tab(self):
        from tensorboard.plugins.hparams import api_pb2, metadata

        (folder,), _ = to_tensorboard(self.store, self.place, "demo", self.coop.run)
        events = self.read(folder)
        of_plugin = events.PluginTagToContent("hparams")
        start = metadata.parse_session_start_info_plugin_data(
            of_plugin[metadata.SESSION_START_INFO_TAG])
        self.assertEqual(start.hparams["method"].string_value, "coop")
        self.assertEqual(start.hparams["epochs"].number_value, 2.0)
        end = metadata.parse_session_end_info_plugin_data(of_plugin[metadata.SESSION_END_INFO_TAG])
        self.assertEqual(end.status, api_pb2.STATUS_SUCCESS)
        self.assertEqual(end.end_time_secs - start.start_time_secs, 10.0)

    def test_what_is_there_stays(self):
        (folder,), _ = to_tensorboard(self.store, self.place, run=self.coop.run)
        before = [(file, file.stat().st_mtime_ns) for file in folder.iterdir()]
        made, there = to_tensorboard(self.store, self.place)
        self.assertEqual((len(made), there), (len(self.done) - 1, 1))
        self.assertEqual(before, [(file, file.stat().st_mtime_ns) for file in folder.iterdir()])

    def test_a_run_that_fails_on_its_way_leaves_nothing(self):
        with mock.patch.object(petlab_trackers, "_events", side_effect=OSError("no room")):
            with self.assertRaises(OSError):
                to_tensorboard(self.store, self.place)
        self.assertEqual([file for file in self.place.rglob("*") if file.is_file()], [])


class MLflow(Trackers):
    def client(self):
        import mlflow

        return mlflow.MlflowClient(tracking_uri=self.place.resolve().as_uri())

    def test_a_run_of_each_finished_run(self):
        made, there = to_mlflow(self.store, self.place)
        self.assertEqual((len(made), there), (len(self.done), 0))
        client = self.client()
        experiment = client.get_experiment_by_name("demo")
        runs = client.search_runs([experiment.experiment_id])
        self.assertEqual({run.data.tags["petlab.run"] for run in runs}, set(self.done.run))
        self.assertEqual({run.info.status for run in runs}, {"FINISHED"})
        (one,) = client.search_runs([experiment.experiment_id],
                                    f"tags.`petlab.run` = '{self.coop.run}'")
        self.assertEqual(one.info.run_name, f"{self.coop.label}, seed {self.coop.seed}")
        self.assertEqual(one.info.end_time - one.info.start_time, 10000)
        self.assertEqual(one.data.params["method"], "coop")
        self.assertEqual(one.data.params["option.n_context"], "4")
        self.assertEqual(one.data.metrics["accuracy/mean"], self.coop.mean_accuracy)
        loss = client.get_metric_history(one.info.run_id, "train/loss")
        self.assertEqual([(point.step, point.value) for point in loss], [(1, 1.25), (2, 0.75)])
        rates = client.get_metric_history(one.info.run_id, "train/learning_rate")
        self.assertEqual([point.value for point in rates], [0.002, 0.001])

        made, there = to_mlflow(self.store, self.place.resolve().as_uri(), "demo")
        self.assertEqual((len(made), there), (0, len(self.done)))

    def test_a_run_that_fails_on_its_way_is_added_again(self):
        with mock.patch("mlflow.MlflowClient.set_terminated", side_effect=OSError("no room")):
            with self.assertRaises(OSError):
                to_mlflow(self.store, self.place, run=self.coop.run)
        made, there = to_mlflow(self.store, self.place, run=self.coop.run)
        self.assertEqual((len(made), there), (1, 0))
        experiment = self.client().get_experiment_by_name("demo").experiment_id
        self.assertEqual(len(self.client().search_runs([experiment])), 1)

    def test_what_mlflow_refuses_is_a_sentence(self):
        with self.assertRaisesRegex(TrackerError, "MLflow at no-such-kind://x: "):
            to_mlflow(self.store, "no-such-kind://x")


class Program(Trackers):
    def test_says_what_it_did(self):
        for told in ("10 new runs, 0 already there", "0 new runs, 10 already there"):
            code, out, err = printed_by(["tensorboard", FOLDER / "runs.sqlite", self.place])
            self.assertEqual((code, err), (0, ""))
            self.assertIn(told, out)
            self.assertIn("tensorboard --logdir", out)

    def test_one_sentence_where_something_is_wrong(self):
        store = FOLDER / "runs.sqlite"
        none = FOLDER / "none.sqlite"
        for arguments, expected, sentence in (
            (["tensorboard", none, self.place], 5, "there is no such file"),
            (["mlflow", store, self.place, "--study", "x"], 5, "holds no study 'x'; it holds: demo"),
            (["mlflow", store, self.place, "--run", "zz"], 2, "no finished run of a study begins"),
            (["tensorboard", store, self.place, "--run", ""], 2, "no finished run of a study begins"),
            (["tensorboard", store, store / "x"], 2, "Not a directory"),
        ):
            code, out, err = printed_by(arguments)
            self.assertEqual((code, out), (expected, ""))
            self.assertRegex(err, sentence)
            self.assertEqual(err.count("\n"), 1)

    def test_names_the_package_that_is_missing(self):
        with mock.patch.dict(sys.modules, {"mlflow": None}):
            code, _, err = printed_by(["mlflow", FOLDER / "runs.sqlite", self.place])
        self.assertEqual(code, 2)
        self.assertIn(f"{sys.executable} -m pip install mlflow-skinny", err)

    def test_is_the_module_as_a_program(self):
        done = subprocess.run(
            [sys.executable, "-m", "petlab_results", "tensorboard", FOLDER / "runs.sqlite", self.place,
             "--study=demo"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("10 new runs", done.stdout)


if __name__ == "__main__":
    program, FOLDER = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([program, str(FOLDER)], check=True)
    unittest.main(argv=sys.argv[:1])
