"""Results stores of petlab as pandas data frames.

A store is the SQLite file that `petlab run` writes. It is opened for reading alone:

    from petlab_results import open_store

    with open_store("results/demo.sqlite") as store:
        runs = store.runs("demo")                  # a line a planned run
        accuracy = store.accuracy("demo")          # a line a finished run and task
        predictions = store.predictions(runs.run[0])  # a line a test image
        tensors = store.adapters(runs.run[0])      # what the run has trained

Frames have the columns of the store's views and tables (results/README.md). What the file holds is
read as it is; `petlab check STORE` looks for contradictions in it. As a program,
`python -m petlab_results`, it is petlab_trackers.py: runs for TensorBoard and MLflow.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Dict, Optional, Union
from urllib.parse import quote

import numpy
import pandas

__all__ = ["Store", "StoreError", "open_store"]

# Schema versions whose tables this file reads. Commands of petlab that write to a store bring an
# older one up to date.
OLDEST_SCHEMA = 5
NEWEST_SCHEMA = 6

_APPLICATION_ID = 0x7065746C
_PREDICTION_FORMAT = 1
_PROBABILITY_STEPS = 65535.0


class StoreError(Exception):
    """A sentence that names the file, what was wrong and what was expected."""


class Store:
    """A results store, open for reading. Close it, or use it in a `with` statement."""

    def __init__(self, path: Union[str, "os.PathLike[str]"]):
        """Opens the file. Raises StoreError for one that is no petlab store, or of a schema that
        this file does not read."""
        self.path = Path(path)
        if not self.path.is_file():
            raise StoreError(f"results store '{self.path}': there is no such file")
        self._db = self._open()
        try:
            self._check()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """No other function may be called afterwards."""
        self._db.close()

    # ------------------------------------------------------------------ frames

    def studies(self) -> "list[str]":
        """Names of all studies, sorted."""
        return [name for (name,) in self._db.execute("SELECT name FROM studies ORDER BY name")]

    def runs(self, study: Optional[str] = None) -> pandas.DataFrame:
        """A line a planned run, in the order of the study: `study`, `row_index`, `label`, `seed`,
        `method`, `sharing`, `grouping`, `run` (the identity), `status` ("done", "failed" or
        "missing") and what the store knows of the run: `error_kind`, `error`, `attempts`, `plugin`,
        `plugin_version`, `backbone`, `backbone_parameters`, `precision`, `split` (its hash),
        `started`, `finished`, `trained_hash`, `test_evaluations`, `determinism`, `resumed`,
        `step_flops`, `image_flops`, and `mean_accuracy` over its tasks."""
        self._refuse_unknown(study)
        frame = self._frame(
            """
            SELECT s.name AS study, p.row_index, p.row_label AS label, p.seed, p.method, p.sharing,
                   p.grouping, p.identity AS run, COALESCE(r.status, 'missing') AS status,
                   r.error_kind, r.error, r.attempts, r.plugin, r.plugin_version, r.backbone,
                   r.backbone_parameters, r.precision, d.hash AS split, r.started, r.finished,
                   r.trained_hash, r.test_evaluations, r.determinism, r.resumed, r.step_flops,
                   r.image_flops,
                   (SELECT AVG(CAST(x.n_correct AS REAL) / x.n_test) FROM task_results x
                    WHERE x.run_id = r.run_id) AS mean_accuracy
            FROM study_runs p
            JOIN studies s USING (study_id)
            LEFT JOIN runs r ON r.identity = p.identity
            LEFT JOIN splits d ON d.split_id = r.split_id
            WHERE ? IS NULL OR s.name = ?
            ORDER BY s.name, p.row_index, p.seed""",
            (study, study),
        )
        whole = ["backbone_parameters", "attempts", "test_evaluations", "resumed"]
        return frame.astype({name: "Int64" for name in whole})

    def accuracy(self, study: Optional[str] = None) -> pandas.DataFrame:
        """The view `accuracy`: a line a finished run and task, `accuracy` as a fraction, `loss` the
        mean cross-entropy of the test images."""
        return self._view("accuracy", study)

    def parameters(self, study: Optional[str] = None) -> pandas.DataFrame:
        """The view `parameters`: a line a run and adapter."""
        return self._view("parameters", study)

    def costs(self, study: Optional[str] = None) -> pandas.DataFrame:
        """The view `cost`: a line a run and phase."""
        return self._view("cost", study)

    def epochs(self, study: Optional[str] = None) -> pandas.DataFrame:
        """The learning curves: a line a finished run and epoch, in the order in which they were
        computed: `run`, `phase` ("train", or "warm-up" before a grouping is known), `epoch` from 0,
        mean training `loss`, `learning_rate`, `seconds`, `steps` and `images` of the epoch."""
        self._refuse_unknown(study)
        return self._frame(
            """
            SELECT r.identity AS run, e.phase, e.epoch, e.loss, e.learning_rate, e.seconds, e.steps,
                   e.images
            FROM epochs e
            JOIN runs r USING (run_id)
            WHERE r.status = 'done'
              AND (? IS NULL OR r.identity IN (SELECT p.identity FROM study_runs p
                                               JOIN studies s USING (study_id) WHERE s.name = ?))
            ORDER BY r.run_id, e.position""",
            (study, study),
        )

    def values(self, study: Optional[str] = None, kind: Optional[str] = None) -> pandas.DataFrame:
        """Named values of the runs, as text: `run`, `kind` ("identity", "option", "protocol" or
        "environment"), `name`, `value`."""
        self._refuse_unknown(study)
        return self._frame(
            """
            SELECT r.identity AS run, v.kind, v.name, v.value
            FROM run_values v
            JOIN runs r USING (run_id)
            WHERE (? IS NULL OR v.kind = ?)
              AND (? IS NULL OR r.identity IN (SELECT p.identity FROM study_runs p
                                               JOIN studies s USING (study_id) WHERE s.name = ?))
            ORDER BY r.run_id, v.kind, v.position""",
            (kind, kind, study, study),
        )

    def predictions(self, run: str) -> pandas.DataFrame:
        """A line a test image of a finished run, in the order of its split: `task`, `sample_id`,
        `label` and `true_class`, `predicted` and `predicted_class`, `probability` of the predicted
        class (the store rounds it to steps of 1/65535), `right`.

        `run` is an identity or the first digits of one. Raises StoreError where no finished run or
        more than one begins so, and where a task's predictions do not give its number of right
        answers."""
        run_id, identity = self._finished(run)
        frames = []
        for task_id, task, n_correct, fmt, data in self._db.execute(
            """
            SELECT t.task_id, t.name, x.n_correct, q.format, q.data
            FROM runs r
            JOIN split_tasks o ON o.split_id = r.split_id
            JOIN tasks t ON t.task_id = o.task_id
            JOIN task_results x ON x.run_id = r.run_id AND x.task_id = t.task_id
            JOIN predictions q ON q.run_id = r.run_id AND q.task_id = t.task_id
            WHERE r.run_id = ?
            ORDER BY o.position""",
            (run_id,),
        ).fetchall():
            frame = self._images(run_id, task_id)
            predicted, probability = _unpack(self.path, task, fmt, data, len(frame))
            classes = dict(
                self._db.execute("SELECT label, name FROM classes WHERE task_id = ?", (task_id,))
            )
            frame.insert(0, "task", task)
            frame["predicted"] = predicted
            frame["predicted_class"] = [classes.get(int(label), "") for label in predicted]
            frame["probability"] = probability
            frame["right"] = frame["predicted"] == frame["label"]
            if int(frame["right"].sum()) != n_correct:
                raise StoreError(
                    f"results store '{self.path}': the predictions of run '{identity[:12]}' have "
                    f"{int(frame['right'].sum())} right answers in task '{task}', its result says "
                    f"{n_correct}; `petlab check {self.path}` says more"
                )
            frames.append(frame)
        return pandas.concat(frames, ignore_index=True)

    # ------------------------------------------------------------------ adapters

    def adapters_file(self, run: str) -> Path:
        """Where the adapters of a finished run lie: STORE.adapters/IDENTITY.safetensors."""
        return Path(f"{self.path}.adapters") / f"{self._finished(run)[1]}.safetensors"

    def adapters(self, run: str, framework: str = "pt") -> Dict[str, Any]:
        """The adapters of a finished run by the names of their tensors: torch tensors, or with
        framework "numpy" arrays. Needs the package safetensors. Raises StoreError where the run
        kept none, or the file cannot be read."""
        with self._opened_adapters(run, framework) as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}

    def adapters_metadata(self, run: str) -> Dict[str, str]:
        """What the file of a run's adapters says about them: texts by name. Raises as adapters()."""
        with self._opened_adapters(run, "numpy") as opened:
            return dict(opened.metadata() or {})

    # ------------------------------------------------------------------ details

    def _opened_adapters(self, run: str, framework: str) -> Any:
        file = self.adapters_file(run)
        try:
            from safetensors import SafetensorError, safe_open
        except ImportError as error:
            raise StoreError(
                "adapters are read with the package safetensors: pip install safetensors"
            ) from error
        if not file.is_file():
            raise StoreError(
                f"run '{file.stem[:12]}' has no adapters: expected them in '{file}'. It was run "
                "without keeping them, or the file was not copied with the store"
            )
        try:
            return safe_open(str(file), framework=framework)
        except (SafetensorError, OSError) as error:
            raise StoreError(f"adapters '{file}': cannot be read: {error}") from error

    def _open(self) -> sqlite3.Connection:
        name = quote(str(self.path.resolve()))
        db = sqlite3.connect(f"file:{name}?mode=ro", uri=True)
        try:
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            return db
        except sqlite3.DatabaseError as error:
            db.close()
            alone = not Path(f"{self.path}-wal").exists()
            if isinstance(error, sqlite3.OperationalError) and alone:
                # A read-only folder: SQLite cannot make its index there, and needs none.
                return sqlite3.connect(f"file:{name}?immutable=1", uri=True)
            raise StoreError(f"results store '{self.path}': cannot be read: {error}") from error

    def _check(self) -> None:
        try:
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise StoreError(f"results store '{self.path}': cannot be read: {error}") from error
        if application != _APPLICATION_ID:
            raise StoreError(f"'{self.path}' is an SQLite file, but no results store of petlab")
        if not OLDEST_SCHEMA <= version <= NEWEST_SCHEMA:
            raise StoreError(
                f"results store '{self.path}' has schema version {version}, expected "
                f"{OLDEST_SCHEMA} to {NEWEST_SCHEMA}: "
                + (
                    "merge it into a new store (`petlab merge NEW.sqlite OLD.sqlite`)"
                    if version < OLDEST_SCHEMA
                    else "install the petlab_results of the petlab that wrote it"
                )
            )

    def _frame(self, sql: str, parameters: tuple = ()) -> pandas.DataFrame:
        cursor = self._db.execute(sql, parameters)
        return pandas.DataFrame(
            cursor.fetchall(), columns=[column[0] for column in cursor.description]
        )

    def _view(self, view: str, study: Optional[str]) -> pandas.DataFrame:
        self._refuse_unknown(study)
        return self._frame(f"SELECT * FROM {view} WHERE ? IS NULL OR study = ?", (study, study))

    def _refuse_unknown(self, study: Optional[str]) -> None:
        known = self.studies()
        if study is not None and study not in known:
            raise StoreError(
                f"results store '{self.path}' holds no study '{study}'; it holds: "
                + (", ".join(known) if known else "none")
            )

    def _finished(self, run: str) -> "tuple[int, str]":
        found = self._db.execute(
            "SELECT run_id, identity FROM runs WHERE status = 'done' AND identity >= ? "
            "AND substr(identity, 1, ?) = ? LIMIT 2",
            (run, len(run), run),
        ).fetchall()
        if len(found) == 1 and run:
            return found[0]
        what = "more than one finished run begins" if found else "no finished run begins"
        raise StoreError(f"results store '{self.path}': {what} with '{run}'")

    def _images(self, run_id: int, task_id: int) -> pandas.DataFrame:
        return self._frame(
            """
            SELECT i.sample_id, i.label, c.name AS true_class
            FROM runs r
            JOIN split_images m ON m.split_id = r.split_id AND m.task_id = ?
            JOIN images i ON i.image_id = m.image_id
            JOIN classes c ON c.task_id = i.task_id AND c.label = i.label
            WHERE r.run_id = ?
            ORDER BY m.position""",
            (task_id, run_id),
        )


def _unpack(path: Path, task: str, fmt: int, data: bytes, images: int) -> "tuple[Any, Any]":
    # n times uint16 class, then n times uint16 probability in steps of 1/65535, little-endian.
    if fmt != _PREDICTION_FORMAT:
        raise StoreError(
            f"results store '{path}': the predictions of task '{task}' are packed in format {fmt}, "
            f"expected {_PREDICTION_FORMAT}"
        )
    if len(data) != 4 * images:
        raise StoreError(
            f"results store '{path}': the predictions of task '{task}' have {len(data)} bytes, "
            f"expected {4 * images} for {images} test images"
        )
    values = numpy.frombuffer(data, dtype="<u2").astype("int64")
    return values[:images], values[images:] / _PROBABILITY_STEPS


def open_store(path: Union[str, "os.PathLike[str]"]) -> Store:
    """The store at this path, open for reading."""
    return Store(path)


if __name__ == "__main__":
    from petlab_trackers import main

    main()
