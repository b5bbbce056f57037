-- Version 1 of the results store. results/README.md explains every table.

CREATE TABLE datasets (
  dataset_id INTEGER PRIMARY KEY,
  name       TEXT NOT NULL CHECK (name <> ''),
  version    TEXT NOT NULL,
  hash       TEXT NOT NULL UNIQUE CHECK (hash <> '')
) STRICT;

CREATE TABLE tasks (
  task_id    INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets,
  name       TEXT NOT NULL CHECK (name <> ''),
  UNIQUE (dataset_id, name)
) STRICT;

CREATE TABLE classes (
  task_id INTEGER NOT NULL REFERENCES tasks,
  label   INTEGER NOT NULL CHECK (label BETWEEN 0 AND 65535),
  name    TEXT NOT NULL,
  PRIMARY KEY (task_id, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
  image_id  INTEGER PRIMARY KEY,
  task_id   INTEGER NOT NULL,
  sample_id TEXT NOT NULL CHECK (sample_id <> ''),
  label     INTEGER NOT NULL,
  UNIQUE (task_id, sample_id),
  FOREIGN KEY (task_id, label) REFERENCES classes
) STRICT;

CREATE TABLE splits (
  split_id   INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets,
  hash       TEXT NOT NULL UNIQUE CHECK (hash <> ''),
  name       TEXT NOT NULL,
  fraction   REAL NOT NULL CHECK (fraction BETWEEN 0 AND 1),
  seed       INTEGER NOT NULL CHECK (seed >= 0)
) STRICT;

CREATE TABLE split_tasks (
  split_id INTEGER NOT NULL REFERENCES splits,
  position INTEGER NOT NULL,
  task_id  INTEGER NOT NULL REFERENCES tasks,
  n_train  INTEGER NOT NULL CHECK (n_train >= 0),
  PRIMARY KEY (split_id, position),
  UNIQUE (split_id, task_id)
) STRICT, WITHOUT ROWID;

-- Test images in the order in which predictions are stored.
CREATE TABLE split_images (
  split_id INTEGER NOT NULL,
  task_id  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  image_id INTEGER NOT NULL REFERENCES images,
  PRIMARY KEY (split_id, task_id, position),
  FOREIGN KEY (split_id, task_id) REFERENCES split_tasks (split_id, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE studies (
  study_id INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE CHECK (name <> ''),
  protocol TEXT NOT NULL
) STRICT;

-- The whole plan of a study. The identity leads to the run, if there is one yet.
CREATE TABLE study_runs (
  study_id  INTEGER NOT NULL REFERENCES studies ON DELETE CASCADE,
  row_index INTEGER NOT NULL CHECK (row_index >= 0),
  seed      INTEGER NOT NULL CHECK (seed >= 0),
  row_label TEXT NOT NULL CHECK (row_label <> ''),
  method    TEXT NOT NULL,
  sharing   TEXT NOT NULL,
  grouping  TEXT NOT NULL,
  identity  TEXT NOT NULL CHECK (length(identity) = 64),
  PRIMARY KEY (study_id, row_index, seed)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_runs_identity ON study_runs (identity);

CREATE TABLE runs (
  run_id              INTEGER PRIMARY KEY,
  identity            TEXT NOT NULL UNIQUE CHECK (length(identity) = 64),
  status              TEXT NOT NULL CHECK (status IN ('done', 'failed')),
  error_kind          TEXT NOT NULL,
  error               TEXT NOT NULL,
  attempts            INTEGER NOT NULL CHECK (attempts >= 1),
  method              TEXT NOT NULL CHECK (method <> ''),
  plugin              TEXT NOT NULL,
  plugin_version      TEXT NOT NULL,
  sharing             TEXT NOT NULL CHECK (sharing <> ''),
  grouping            TEXT NOT NULL,
  seed                INTEGER NOT NULL CHECK (seed >= 0),
  backbone            TEXT NOT NULL,
  backbone_parameters INTEGER NOT NULL CHECK (backbone_parameters >= 0),
  precision           TEXT NOT NULL,
  split_id            INTEGER REFERENCES splits,
  started             TEXT NOT NULL,
  finished            TEXT NOT NULL,
  frozen_hash_before  TEXT NOT NULL,
  frozen_hash_after   TEXT NOT NULL,
  trained_hash        TEXT NOT NULL,
  test_evaluations    INTEGER NOT NULL CHECK (test_evaluations >= 0),
  determinism         TEXT NOT NULL,
  CHECK ((status = 'failed') = (error <> '')),
  CHECK (status = 'failed' OR split_id IS NOT NULL)
) STRICT;

CREATE TRIGGER a_finished_run_is_never_changed BEFORE UPDATE ON runs WHEN OLD.status = 'done'
BEGIN
  SELECT RAISE(ABORT, 'a finished run is never changed');
END;
CREATE TRIGGER a_finished_run_is_never_deleted BEFORE DELETE ON runs WHEN OLD.status = 'done'
BEGIN
  SELECT RAISE(ABORT, 'a finished run is never deleted');
END;

-- Named values of a run: the parts of its identity, options, protocol and environment.
CREATE TABLE run_values (
  run_id   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('identity', 'option', 'protocol', 'environment')),
  position INTEGER NOT NULL,
  name     TEXT NOT NULL CHECK (name <> ''),
  value    TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, position),
  UNIQUE (run_id, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE parameter_counts (
  run_id       INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  scope        TEXT NOT NULL CHECK (scope IN ('shared', 'group', 'task', 'frozen')),
  owner        TEXT NOT NULL,
  trainable    INTEGER NOT NULL CHECK (trainable >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0),
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, scope, owner)
) STRICT, WITHOUT ROWID;

-- A phase may occur several times: setup goes on after a grouping has been found.
CREATE TABLE phase_costs (
  run_id            INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position          INTEGER NOT NULL,
  phase             TEXT NOT NULL CHECK (phase IN ('setup', 'warm-up', 'train', 'evaluate')),
  seconds           REAL NOT NULL CHECK (seconds >= 0),
  images            INTEGER NOT NULL CHECK (images >= 0),
  peak_host_bytes   INTEGER NOT NULL CHECK (peak_host_bytes >= 0),
  peak_device_bytes INTEGER,
  flops             REAL,
  PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- loss is NULL where it was not a finite number.
CREATE TABLE epochs (
  run_id        INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position      INTEGER NOT NULL,
  phase         TEXT NOT NULL,
  epoch         INTEGER NOT NULL,
  loss          REAL,
  learning_rate REAL NOT NULL,
  seconds       REAL NOT NULL,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, phase, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_results (
  run_id    INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id   INTEGER NOT NULL REFERENCES tasks,
  n_train   INTEGER NOT NULL,
  n_test    INTEGER NOT NULL CHECK (n_test >= 0),
  n_correct INTEGER NOT NULL CHECK (n_correct BETWEEN 0 AND n_test),
  loss      REAL NOT NULL,
  PRIMARY KEY (run_id, task_id)
) STRICT, WITHOUT ROWID;

-- Format 1, little-endian, in the order of split_images: n_test times uint16 class, then n_test
-- times uint16 probability of that class in steps of 1/65535.
CREATE TABLE predictions (
  run_id  INTEGER NOT NULL,
  task_id INTEGER NOT NULL,
  format  INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (run_id, task_id),
  FOREIGN KEY (run_id, task_id) REFERENCES task_results ON DELETE CASCADE
) STRICT;

CREATE TABLE groupings (
  run_id   INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
  strategy TEXT NOT NULL,
  seconds  REAL NOT NULL CHECK (seconds >= 0)
) STRICT;

-- Rows and columns of the affinity matrix.
CREATE TABLE grouping_tasks (
  run_id   INTEGER NOT NULL REFERENCES groupings ON DELETE CASCADE,
  position INTEGER NOT NULL,
  task     TEXT NOT NULL,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, task)
) STRICT, WITHOUT ROWID;

-- Empty for strategies without a matrix. value is NULL where it was not a finite number.
CREATE TABLE grouping_affinity (
  run_id       INTEGER NOT NULL,
  row_position INTEGER NOT NULL,
  col_position INTEGER NOT NULL,
  value        REAL,
  PRIMARY KEY (run_id, row_position, col_position),
  FOREIGN KEY (run_id, row_position) REFERENCES grouping_tasks ON DELETE CASCADE,
  FOREIGN KEY (run_id, col_position) REFERENCES grouping_tasks ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- place 0 is the partition that was used; 1, 2 ... are the runners-up.
CREATE TABLE grouping_partitions (
  run_id INTEGER NOT NULL REFERENCES groupings ON DELETE CASCADE,
  place  INTEGER NOT NULL,
  score  REAL NOT NULL,
  PRIMARY KEY (run_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE grouping_members (
  run_id      INTEGER NOT NULL,
  place       INTEGER NOT NULL,
  group_index INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  task        TEXT NOT NULL,
  PRIMARY KEY (run_id, place, group_index, position),
  UNIQUE (run_id, place, task),
  FOREIGN KEY (run_id, place) REFERENCES grouping_partitions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- ------------------------------------------------------------------------- views, for people

CREATE VIEW accuracy AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       t.name AS task, x.n_train, x.n_test, x.n_correct,
       CAST(x.n_correct AS REAL) / x.n_test AS accuracy, x.loss, r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity AND r.status = 'done'
JOIN split_tasks o ON o.split_id = r.split_id
JOIN tasks t ON t.task_id = o.task_id
JOIN task_results x ON x.run_id = r.run_id AND x.task_id = t.task_id
ORDER BY s.name, p.row_index, r.seed, o.position;

CREATE VIEW parameters AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       c.scope, c.owner, c.trainable, c.stored_bytes, r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN parameter_counts c ON c.run_id = r.run_id
ORDER BY s.name, p.row_index, r.seed, c.position;

CREATE VIEW cost AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       c.phase, c.seconds, c.images, c.peak_host_bytes, c.peak_device_bytes, c.flops,
       r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN phase_costs c ON c.run_id = r.run_id
ORDER BY s.name, p.row_index, r.seed, c.position;

-- One line a row of a study: mean over tasks, then over seeds. Rows that lack seeds are ranked too:
-- look at `seeds`.
CREATE VIEW ranking AS
WITH per_run AS (
  SELECT p.study_id, p.row_index, p.row_label, r.run_id,
         (SELECT AVG(CAST(x.n_correct AS REAL) / x.n_test) FROM task_results x
          WHERE x.run_id = r.run_id) AS accuracy,
         (SELECT COALESCE(SUM(c.trainable), 0) FROM parameter_counts c
          WHERE c.run_id = r.run_id) AS trainable
  FROM study_runs p
  JOIN runs r ON r.identity = p.identity AND r.status = 'done'
)
SELECT s.name AS study,
       RANK() OVER (PARTITION BY q.study_id ORDER BY AVG(q.accuracy) DESC) AS place,
       q.row_label AS label, COUNT(*) AS seeds, AVG(q.accuracy) AS mean_accuracy,
       AVG(q.trainable) AS trainable
FROM per_run q
JOIN studies s USING (study_id)
GROUP BY q.study_id, q.row_index
ORDER BY s.name, place, q.row_index;

CREATE VIEW failures AS
SELECT s.name AS study, p.row_label AS label, p.seed, r.error_kind, r.error, r.attempts,
       r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity AND r.status = 'failed'
ORDER BY s.name, p.row_index, p.seed;

-- The groups that were used, one line a group.
CREATE VIEW groups AS
SELECT s.name AS study, p.row_label AS label, r.seed, g.strategy, m.group_index,
       (SELECT GROUP_CONCAT(task, ', ') FROM
         (SELECT task FROM grouping_members n WHERE n.run_id = g.run_id AND n.place = 0
          AND n.group_index = m.group_index ORDER BY n.position)) AS tasks,
       r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN groupings g ON g.run_id = r.run_id
JOIN (SELECT DISTINCT run_id, group_index FROM grouping_members WHERE place = 0) m
  ON m.run_id = g.run_id
ORDER BY s.name, p.row_index, r.seed, m.group_index;
