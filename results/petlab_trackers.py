"""Finished runs of a results store, for TensorBoard and MLflow.

    python -m petlab_results tensorboard STORE FOLDER [--study NAME] [--run IDENTITY]
    python -m petlab_results mlflow STORE FOLDER_OR_URI [--study NAME] [--run IDENTITY]

TensorBoard gets event files, FOLDER/STUDY/ROW/seed-N-IDENTITY/; MLflow runs in an experiment of the
study's name: in a file store at FOLDER, or wherever a tracking URI leads (http://..., sqlite:///...).
Both are written by these programs' own packages. What is there already stays as it is, so an export
may be repeated while a study goes on. results/README.md says what a run is given.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

__all__ = ["TrackerError", "main", "to_mlflow", "to_tensorboard"]

# What MLflow takes in one call and as the text of one parameter.
_METRICS_A_BATCH = 1000
_PARAMETERS_A_BATCH = 100
_PARAMETER_LENGTH = 6000

_RUN_TAG = "petlab.run"


class TrackerError(Exception):
    """A sentence that says what was wrong and what was expected."""


@dataclass
class Point:
    """Values at a step of a run, by their names."""

    step: int
    moment: float  # seconds since 1970
    values: Dict[str, float]


@dataclass
class TrackedRun:
    """What trackers are told of a finished run."""

    identity: str
    study: str
    label: str
    seed: int
    started: float
    finished: float
    settings: Dict[str, str]
    points: List[Point] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.label}, seed {self.seed}"


def to_tensorboard(
    store: Any, folder: Union[str, "os.PathLike[str]"], study: Optional[str] = None,
    run: Optional[str] = None,
) -> Tuple[List[Path], int]:
    """Writes a folder of event files for each finished run of an open petlab_results.Store: of all
    studies or one, or the one run whose identity begins with `run`. Returns the folders that are new,
    and how many were there. Raises TrackerError without the package tensorboard."""
    writers = _needed("tensorboard.summary.writer.event_file_writer", "tensorboard")
    made, there = [], 0
    for one in _runs(store, study, run):
        place = Path(folder) / _file_name(one.study) / _file_name(one.label)
        place /= f"seed-{one.seed}-{one.identity[:12]}"
        if place.exists():
            there += 1
            continue
        draft = place.with_name(place.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            writer = writers.EventFileWriter(str(draft))
            for event in _events(one):
                writer.add_event(event)
            writer.close()
            draft.rename(place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        made.append(place)
    return made, there


def to_mlflow(
    store: Any, place: Union[str, "os.PathLike[str]"], study: Optional[str] = None,
    run: Optional[str] = None,
) -> Tuple[List[str], int]:
    """Adds each finished run, chosen as by to_tensorboard(), to the MLflow store at `place`: a folder,
    which becomes a file store, or a tracking URI. Returns the names of runs that are new, and how
    many were there. Raises TrackerError without MLflow, or with its words where it refuses."""
    # Of a file store, MLflow 3 asks whether it is really meant; and nothing is to be sent anywhere.
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow = _needed("mlflow", "mlflow-skinny")
    uri = str(place) if "://" in str(place) else Path(place).resolve().as_uri()
    made, there = [], 0
    try:
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        for one in _runs(store, study, run):
            experiment = client.get_experiment_by_name(one.study)
            number = experiment.experiment_id if experiment else client.create_experiment(one.study)
            if client.search_runs([number], f"tags.`{_RUN_TAG}` = '{one.identity}'", max_results=1):
                there += 1
                continue
            _add_run(mlflow, client, number, one)
            made.append(one.name)
    except mlflow.exceptions.MlflowException as error:
        raise TrackerError(f"MLflow at {uri}: {error}") from error
    return made, there


# ---------------------------------------------------------------------- what a run is


def _runs(store: Any, study: Optional[str], run: Optional[str]) -> Iterator[TrackedRun]:
    lines = store.runs(study)
    lines = lines[lines.status == "done"]
    if run is not None:
        lines = lines[lines.run.str.startswith(run)]
        if not run or lines.run.nunique() != 1:
            what = "more than one finished run" if run and len(lines) else "no finished run"
            raise TrackerError(f"results store '{store.path}': {what} of a study begins with '{run}'")
    values = _by_run(store.values(study))
    epochs, accuracy = _by_run(store.epochs(study)), _by_run(store.accuracy(study))
    parameters, costs = _by_run(store.parameters(study)), _by_run(store.costs(study))
    for line in lines.itertuples():
        def of_study(frames: Dict[str, Any]) -> List[Any]:
            return [x for x in frames.get(line.run, []) if getattr(x, "study", line.study) == line.study]

        settings = {
            "row": line.label, "method": line.method, "sharing": line.sharing,
            "grouping": line.grouping, "seed": str(line.seed), "backbone": line.backbone,
        }
        for value in of_study(values):
            if value.kind in ("option", "protocol"):
                is_option = value.kind == "option" and not value.name.startswith("train.")
                settings[f"option.{value.name}" if is_option else value.name] = value.value
        one = TrackedRun(line.run, line.study, line.label, int(line.seed), _seconds(line.started),
                         _seconds(line.finished), settings)
        step = _add_curves(one, of_study(epochs))
        end = {"accuracy/mean": line.mean_accuracy}
        for task in of_study(accuracy):
            end[f"accuracy/{task.task}"], end[f"test_loss/{task.task}"] = task.accuracy, task.loss
        for count in of_study(parameters):
            if count.scope == "frozen":  # the backbone itself
                continue
            for name in ("trainable", "stored_bytes"):
                key = f"parameters/{name}"
                end[key] = end.get(key, 0.0) + float(getattr(count, name))
        for cost in of_study(costs):
            for name in ("seconds", "images", "images_per_second", "peak_host_bytes",
                         "peak_device_bytes", "flops", "step_flops", "image_flops"):
                end[f"cost/{cost.phase}/{name}"] = getattr(cost, name)
        one.points.append(Point(step, one.finished, _known(end)))
        yield one


def _add_curves(run: TrackedRun, epochs: List[Any]) -> int:
    """Points behind each epoch; returns the last step of training. Stores of old versions do not
    know how many steps an epoch had: there a step is an epoch."""
    steps: Dict[str, int] = {}
    moment = run.started
    for epoch in epochs:
        steps[epoch.phase] = steps.get(epoch.phase, 0) + (int(epoch.steps) or 1)
        moment += epoch.seconds
        values = {"loss": epoch.loss, "learning_rate": epoch.learning_rate, "epoch": epoch.epoch}
        run.points.append(Point(steps[epoch.phase], moment,
                                _known({f"{epoch.phase}/{k}": v for k, v in values.items()})))
    return steps.get("train", 0)


def _by_run(frame: Any) -> Dict[str, List[Any]]:
    lines: Dict[str, List[Any]] = {}
    for line in frame.itertuples(index=False):
        lines.setdefault(line.run, []).append(line)
    return lines


def _known(values: Dict[str, Any]) -> Dict[str, float]:
    return {k: float(v) for k, v in values.items() if v is not None and math.isfinite(v)}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.+-]", "-", text).lstrip(".") or "-"


# ---------------------------------------------------------------------- TensorBoard


def _events(run: TrackedRun) -> Iterator[Any]:
    proto = importlib.import_module("tensorboard.compat.proto.event_pb2")
    summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
    tensors = importlib.import_module("tensorboard.util.tensor_util")
    text = importlib.import_module("tensorboard.plugins.text.metadata")
    hparams = importlib.import_module("tensorboard.plugins.hparams.metadata")
    plugin = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    api = importlib.import_module("tensorboard.plugins.hparams.api_pb2")
    settings_pb = importlib.import_module("tensorboard.plugins.hparams.summary_v2").hparams_pb

    def event(moment: float, step: int, **value: Any) -> Any:
        summary = summaries.Summary(value=[summaries.Summary.Value(**value)])
        return proto.Event(wall_time=moment, step=step, summary=summary)

    settings = {name: _number_or_text(value) for name, value in run.settings.items()}
    yield proto.Event(wall_time=run.started, step=0,
                      summary=settings_pb(settings, run.identity, run.started))
    # The functions for texts and for the end of a session in tensorboard's package want TensorFlow.
    lines = [f"| {name} | `{value or ' '}` |" for name, value in run.settings.items()]
    table = "\n".join(["| setting | value |", "|---|---|", *lines])
    yield event(run.started, 0, tag="settings", tensor=tensors.make_tensor_proto(table),
                metadata=text.create_summary_metadata(display_name="settings", description=""))
    for point in run.points:
        for name, value in point.values.items():
            yield event(point.moment, point.step, tag=name, simple_value=value)
    end = plugin.SessionEndInfo(status=api.STATUS_SUCCESS, end_time_secs=run.finished)
    data = plugin.HParamsPluginData(session_end_info=end)
    yield event(run.finished, run.points[-1].step, tag=hparams.SESSION_END_INFO_TAG,
                tensor=hparams.NULL_TENSOR, metadata=hparams.create_summary_metadata(data))


def _number_or_text(text: str) -> Union[float, str]:
    try:
        return float(text) if math.isfinite(float(text)) else text
    except ValueError:
        return text


# ---------------------------------------------------------------------- MLflow


def _add_run(mlflow: Any, client: Any, experiment: str, run: TrackedRun) -> None:
    """A run whole, or not at all: the tag by which it is known comes last."""
    metrics = [
        mlflow.entities.Metric(_mlflow_name(name), value, round(point.moment * 1000), point.step)
        for point in run.points
        for name, value in point.values.items()
    ]
    params = [
        mlflow.entities.Param(_mlflow_name(name), value[:_PARAMETER_LENGTH])
        for name, value in run.settings.items()
    ]
    made = client.create_run(experiment, start_time=round(run.started * 1000), run_name=run.name)
    number = made.info.run_id
    try:
        for first in range(0, len(params), _PARAMETERS_A_BATCH):
            client.log_batch(number, params=params[first:first + _PARAMETERS_A_BATCH])
        for first in range(0, len(metrics), _METRICS_A_BATCH):
            client.log_batch(number, metrics=metrics[first:first + _METRICS_A_BATCH])
        client.set_terminated(number, "FINISHED", end_time=round(run.finished * 1000))
        client.set_tag(number, _RUN_TAG, run.identity)
    except BaseException:
        client.delete_run(number)
        raise


def _mlflow_name(name: str) -> str:
    return re.sub(r"[^\w.\- /]", "_", name, flags=re.ASCII)


# ---------------------------------------------------------------------- the program


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise TrackerError(
            f"{sys.executable} has no package {error.name or module}: {sys.executable} -m pip install "
            f"{package}"
        ) from error


def main(arguments: Optional[List[str]] = None) -> None:
    """The command line. Where something is wrong it ends the process with one sentence, and with 5
    where that is the store, else 2: petlab's own exit codes."""
    parser = argparse.ArgumentParser(prog="petlab_results", description=__doc__.split("\n", 1)[0])
    parser.add_argument("tracker", choices=["tensorboard", "mlflow"])
    parser.add_argument("store", help="results store, a file of petlab run")
    parser.add_argument("place", help="folder; for mlflow also a tracking URI")
    parser.add_argument("--study", help="only runs of this study")
    parser.add_argument("--run", help="only the run whose identity begins so")
    given = parser.parse_args(arguments)
    try:
        _needed("pandas", "pandas")
        results = _needed("petlab_results", "petlab-results")
        export = to_tensorboard if given.tracker == "tensorboard" else to_mlflow
        try:
            with results.open_store(given.store) as store:
                made, there = export(store, given.place, given.study, given.run)
        except results.StoreError as error:
            print(error, file=sys.stderr)
            sys.exit(5)
    except (TrackerError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(f"{given.tracker}: {len(made)} new runs, {there} already there, at {given.place}")
    if given.tracker == "tensorboard":
        print(f"look at them with: tensorboard --logdir '{given.place}'")
    elif "://" not in given.place:
        print("look at them with: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri "
              f"'{given.place}'")


if __name__ == "__main__":
    main()
