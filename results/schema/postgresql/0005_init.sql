-- Version 5 of the results store, the first that there is on servers: what the files 0001 to 0005 make
-- of an SQLite file, in the words of SQLite that src/to_postgresql.cpp knows. What differs by more
-- stands here in PostgreSQL's own: triggers, sums and means (NUMERIC otherwise), GROUP BY.

-- What a file does not need: the last write that each writer has committed (src/store_server.hpp).
CREATE TABLE petlab_writers (
  writer TEXT PRIMARY KEY,
  writes INTEGER NOT NULL,
  seen   TIMESTAMPTZ NOT NULL
);

CREATE TABLE datasets (
  dataset_id INTEGER PRIMARY KEY,
  name       TEXT NOT NULL CHECK (name <> ''),
  version    TEXT NOT NULL,
  hash       TEXT NOT NULL UNIQUE CHECK (hash <> '')
);

CREATE TABLE tasks (
  task_id    INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets,
  name       TEXT NOT NULL CHECK (name <> ''),
  UNIQUE (dataset_id, name)
);

CREATE TABLE classes (
  task_id INTEGER NOT NULL REFERENCES tasks,
  label   INTEGER NOT NULL CHECK (label BETWEEN 0 AND 65535),
  name    TEXT NOT NULL,
  PRIMARY KEY (task_id, label)
);

CREATE TABLE images (
  image_id  INTEGER PRIMARY KEY,
  task_id   INTEGER NOT NULL,
  sample_id TEXT NOT NULL CHECK (sample_id <> ''),
  label     INTEGER NOT NULL,
  UNIQUE (task_id, sample_id),
  FOREIGN KEY (task_id, label) REFERENCES classes
);

CREATE TABLE splits (
  split_id   INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets,
  hash       TEXT NOT NULL CHECK (hash <> ''),
  name       TEXT NOT NULL,
  fraction   REAL NOT NULL CHECK (fraction BETWEEN 0 AND 1),
  seed       INTEGER NOT NULL CHECK (seed >= 0),
  UNIQUE (dataset_id, hash)
);
CREATE INDEX splits_hash ON splits (hash);

CREATE TABLE split_tasks (
  split_id INTEGER NOT NULL REFERENCES splits,
  position INTEGER NOT NULL,
  task_id  INTEGER NOT NULL REFERENCES tasks,
  n_train  INTEGER NOT NULL CHECK (n_train >= 0),
  PRIMARY KEY (split_id, position),
  UNIQUE (split_id, task_id)
);

-- Test images in the order in which predictions are stored.
CREATE TABLE split_images (
  split_id INTEGER NOT NULL,
  task_id  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  image_id INTEGER NOT NULL REFERENCES images,
  PRIMARY KEY (split_id, task_id, position),
  FOREIGN KEY (split_id, task_id) REFERENCES split_tasks (split_id, task_id)
);

CREATE TABLE studies (
  study_id INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE CHECK (name <> ''),
  protocol TEXT NOT NULL
);

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
);
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
  resumed             INTEGER NOT NULL DEFAULT 0 CHECK (resumed >= 0),
  step_flops          REAL CHECK (step_flops >= 0),
  image_flops         REAL CHECK (image_flops >= 0),
  -- 'baseline': the backbone as it is. '': nothing that the store has a word for. NULL: not said.
  method_trait        TEXT,
  CHECK ((status = 'failed') = (error <> '')),
  CHECK (status = 'failed' OR split_id IS NOT NULL)
);

CREATE FUNCTION refuse_to_change_a_finished_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a finished run is never changed';
END $$;
CREATE TRIGGER a_finished_run_is_never_changed BEFORE UPDATE ON runs
  FOR EACH ROW WHEN (OLD.status = 'done') EXECUTE FUNCTION refuse_to_change_a_finished_run();
CREATE FUNCTION refuse_to_delete_a_finished_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a finished run is never deleted';
END $$;
CREATE TRIGGER a_finished_run_is_never_deleted BEFORE DELETE ON runs
  FOR EACH ROW WHEN (OLD.status = 'done') EXECUTE FUNCTION refuse_to_delete_a_finished_run();

-- Named values of a run: the parts of its identity, options, protocol and environment.
CREATE TABLE run_values (
  run_id   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('identity', 'option', 'protocol', 'environment')),
  position INTEGER NOT NULL,
  name     TEXT NOT NULL CHECK (name <> ''),
  value    TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, position),
  UNIQUE (run_id, kind, name)
);

CREATE TABLE parameter_counts (
  run_id       INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  scope        TEXT NOT NULL CHECK (scope IN ('shared', 'group', 'task', 'frozen')),
  owner        TEXT NOT NULL,
  trainable    INTEGER NOT NULL CHECK (trainable >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes >= 0),
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, scope, owner)
);

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
);

-- loss is NULL where it was not a finite number.
CREATE TABLE epochs (
  run_id        INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position      INTEGER NOT NULL,
  phase         TEXT NOT NULL,
  epoch         INTEGER NOT NULL,
  loss          REAL,
  learning_rate REAL NOT NULL,
  seconds       REAL NOT NULL,
  steps         INTEGER NOT NULL DEFAULT 0 CHECK (steps >= 0),
  images        INTEGER NOT NULL DEFAULT 0 CHECK (images >= 0),
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, phase, epoch)
);

CREATE TABLE task_results (
  run_id    INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  task_id   INTEGER NOT NULL REFERENCES tasks,
  n_train   INTEGER NOT NULL,
  n_test    INTEGER NOT NULL CHECK (n_test >= 0),
  n_correct INTEGER NOT NULL CHECK (n_correct BETWEEN 0 AND n_test),
  loss      REAL NOT NULL,
  PRIMARY KEY (run_id, task_id)
);

-- Format 1, little-endian, in the order of split_images: n_test times uint16 class, then n_test
-- times uint16 probability of that class in steps of 1/65535.
CREATE TABLE predictions (
  run_id  INTEGER NOT NULL,
  task_id INTEGER NOT NULL,
  format  INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (run_id, task_id),
  FOREIGN KEY (run_id, task_id) REFERENCES task_results ON DELETE CASCADE
);

CREATE TABLE groupings (
  run_id   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  strategy TEXT NOT NULL,
  seconds  REAL NOT NULL CHECK (seconds >= 0),
  PRIMARY KEY (run_id)
);

-- Rows and columns of the affinity matrix.
CREATE TABLE grouping_tasks (
  run_id   INTEGER NOT NULL REFERENCES groupings ON DELETE CASCADE,
  position INTEGER NOT NULL,
  task     TEXT NOT NULL,
  PRIMARY KEY (run_id, position),
  UNIQUE (run_id, task)
);

-- Empty for strategies without a matrix. value is NULL where it was not a finite number.
CREATE TABLE grouping_affinity (
  run_id       INTEGER NOT NULL,
  row_position INTEGER NOT NULL,
  col_position INTEGER NOT NULL,
  value        REAL,
  PRIMARY KEY (run_id, row_position, col_position),
  FOREIGN KEY (run_id, row_position) REFERENCES grouping_tasks ON DELETE CASCADE,
  FOREIGN KEY (run_id, col_position) REFERENCES grouping_tasks ON DELETE CASCADE
);

-- place 0 is the partition that was used; 1, 2 ... are the runners-up.
CREATE TABLE grouping_partitions (
  run_id INTEGER NOT NULL REFERENCES groupings ON DELETE CASCADE,
  place  INTEGER NOT NULL,
  score  REAL NOT NULL,
  PRIMARY KEY (run_id, place)
);

CREATE TABLE grouping_members (
  run_id      INTEGER NOT NULL,
  place       INTEGER NOT NULL,
  group_index INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  task        TEXT NOT NULL,
  PRIMARY KEY (run_id, place, group_index, position),
  UNIQUE (run_id, place, task),
  FOREIGN KEY (run_id, place) REFERENCES grouping_partitions ON DELETE CASCADE
);

-- How the settings of a study's row were chosen. trial_study names the study that holds the trials'
-- runs; it may live in another file.
CREATE TABLE study_searches (
  study_id            INTEGER NOT NULL REFERENCES studies ON DELETE CASCADE,
  row_index           INTEGER NOT NULL CHECK (row_index >= 0),
  strategy            TEXT NOT NULL CHECK (strategy <> ''),
  trials              INTEGER NOT NULL CHECK (trials >= 1),
  trial_runs          INTEGER NOT NULL CHECK (trial_runs >= 0),
  trial_study         TEXT NOT NULL,
  validation_accuracy REAL NOT NULL CHECK (validation_accuracy BETWEEN 0 AND 1),
  added_trials        INTEGER NOT NULL DEFAULT 0 CHECK (added_trials >= 0),
  scored_on           TEXT NOT NULL DEFAULT 'held-out' CHECK (scored_on IN ('held-out', 'development')),
  standard_error      REAL CHECK (standard_error >= 0),
  PRIMARY KEY (study_id, row_index)
);

CREATE TABLE study_search_values (
  study_id  INTEGER NOT NULL,
  row_index INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  name      TEXT NOT NULL CHECK (name <> ''),
  value     TEXT NOT NULL,
  -- 'lowest' or 'highest': an end of what was tried. '': neither, or not said.
  edge      TEXT NOT NULL DEFAULT '' CHECK (edge IN ('', 'lowest', 'highest')),
  PRIMARY KEY (study_id, row_index, position),
  UNIQUE (study_id, row_index, name),
  FOREIGN KEY (study_id, row_index) REFERENCES study_searches ON DELETE CASCADE
);

CREATE TABLE study_search_images (
  study_id  INTEGER NOT NULL,
  row_index INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  task      TEXT NOT NULL CHECK (task <> ''),
  images    INTEGER NOT NULL CHECK (images >= 1),
  PRIMARY KEY (study_id, row_index, position),
  UNIQUE (study_id, row_index, task),
  FOREIGN KEY (study_id, row_index) REFERENCES study_searches ON DELETE CASCADE
);

-- Who works on which run. Times are milliseconds since 1970-01-01 UTC; after `expires` anyone may
-- take the run over.
CREATE TABLE leases (
  identity TEXT PRIMARY KEY CHECK (length(identity) = 64),
  owner    TEXT NOT NULL CHECK (owner <> ''),
  taken    INTEGER NOT NULL,
  expires  INTEGER NOT NULL
);

-- Finished runs that were computed once more.
CREATE TABLE verifications (
  verification_id     INTEGER PRIMARY KEY,
  run_id              INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  time                TEXT NOT NULL,
  level               TEXT NOT NULL CHECK (level IN ('bit-equal', 'same-kernel', 'statistical')),
  trained_hash        TEXT NOT NULL,
  predictions         INTEGER NOT NULL CHECK (predictions >= 0),
  changed_predictions INTEGER NOT NULL CHECK (changed_predictions BETWEEN 0 AND predictions)
);
CREATE INDEX verifications_run ON verifications (run_id);

CREATE TABLE verification_values (
  verification_id INTEGER NOT NULL REFERENCES verifications ON DELETE CASCADE,
  position        INTEGER NOT NULL,
  name            TEXT NOT NULL CHECK (name <> ''),
  value           TEXT NOT NULL,
  PRIMARY KEY (verification_id, position),
  UNIQUE (verification_id, name)
);

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
       c.scope, c.owner, c.trainable,
       CAST(100 AS REAL) * c.trainable / NULLIF(r.backbone_parameters, 0) AS percent_of_backbone,
       c.stored_bytes, r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN parameter_counts c ON c.run_id = r.run_id
ORDER BY s.name, p.row_index, r.seed, c.position;

-- step_flops stands beside the training it was counted in, image_flops beside the evaluation.
CREATE VIEW cost AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       c.phase, c.seconds, c.images,
       CASE WHEN c.images > 0 AND c.seconds > 0 THEN c.images / c.seconds END
         AS images_per_second,
       c.peak_host_bytes, c.peak_device_bytes, c.flops,
       CASE WHEN c.phase = 'train' THEN r.step_flops END AS step_flops,
       CASE WHEN c.phase = 'evaluate' THEN r.image_flops END AS image_flops,
       r.resumed, r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN phase_costs c ON c.run_id = r.run_id
ORDER BY s.name, p.row_index, r.seed, c.position;

-- One line a row of a study: mean over tasks, then over seeds. Rows that lack seeds are ranked too:
-- compare `seeds` with `planned`.
CREATE VIEW ranking AS
WITH per_run AS (
  SELECT p.study_id, p.row_index, p.row_label, r.run_id,
         (SELECT AVG(CAST(x.n_correct AS REAL) / x.n_test) FROM task_results x
          WHERE x.run_id = r.run_id) AS accuracy,
         (SELECT CAST(COALESCE(SUM(c.trainable), 0) AS INTEGER) FROM parameter_counts c
          WHERE c.run_id = r.run_id) AS trainable
  FROM study_runs p
  JOIN runs r ON r.identity = p.identity AND r.status = 'done'
)
SELECT s.name AS study,
       RANK() OVER (PARTITION BY q.study_id ORDER BY AVG(q.accuracy) DESC) AS place,
       q.row_label AS label, COUNT(*) AS seeds,
       (SELECT COUNT(*) FROM study_runs n
        WHERE n.study_id = q.study_id AND n.row_index = q.row_index) AS planned,
       AVG(q.accuracy) AS mean_accuracy, AVG(CAST(q.trainable AS REAL)) AS trainable
FROM per_run q
JOIN studies s USING (study_id)
GROUP BY s.name, q.study_id, q.row_index, q.row_label
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
          AND n.group_index = m.group_index ORDER BY n.position) AS ordered) AS tasks,
       r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN groupings g ON g.run_id = r.run_id
JOIN (SELECT DISTINCT run_id, group_index FROM grouping_members WHERE place = 0) m
  ON m.run_id = g.run_id
ORDER BY s.name, p.row_index, r.seed, m.group_index;

CREATE VIEW searches AS
SELECT s.name AS study,
       (SELECT p.row_label FROM study_runs p
        WHERE p.study_id = x.study_id AND p.row_index = x.row_index LIMIT 1) AS label,
       x.strategy, x.trials, x.added_trials, x.trial_runs, x.trial_study, x.scored_on,
       (SELECT CAST(SUM(i.images) AS INTEGER) FROM study_search_images i
        WHERE i.study_id = x.study_id AND i.row_index = x.row_index) AS images,
       x.validation_accuracy, x.standard_error,
       (SELECT GROUP_CONCAT(pair, ', ') FROM
         (SELECT v.name || ' = ' || v.value AS pair FROM study_search_values v
          WHERE v.study_id = x.study_id AND v.row_index = x.row_index
          ORDER BY v.position) AS ordered) AS chosen,
       (SELECT GROUP_CONCAT(pair, ', ') FROM
         (SELECT v.name || ' ' || v.edge AS pair FROM study_search_values v
          WHERE v.study_id = x.study_id AND v.row_index = x.row_index AND v.edge <> ''
          ORDER BY v.position) AS ordered) AS edges
FROM study_searches x
JOIN studies s USING (study_id)
ORDER BY s.name, x.row_index;
