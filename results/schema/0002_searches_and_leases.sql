-- Version 2 of the results store: searches, leases, resumed runs, counted operations.

ALTER TABLE runs ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0 CHECK (resumed >= 0);
ALTER TABLE runs ADD COLUMN step_flops REAL CHECK (step_flops >= 0);
ALTER TABLE runs ADD COLUMN image_flops REAL CHECK (image_flops >= 0);

-- 0 in runs of version 1, which did not count them.
ALTER TABLE epochs ADD COLUMN steps INTEGER NOT NULL DEFAULT 0 CHECK (steps >= 0);
ALTER TABLE epochs ADD COLUMN images INTEGER NOT NULL DEFAULT 0 CHECK (images >= 0);

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
  PRIMARY KEY (study_id, row_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE study_search_values (
  study_id  INTEGER NOT NULL,
  row_index INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  name      TEXT NOT NULL CHECK (name <> ''),
  value     TEXT NOT NULL,
  PRIMARY KEY (study_id, row_index, position),
  UNIQUE (study_id, row_index, name),
  FOREIGN KEY (study_id, row_index) REFERENCES study_searches ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Who works on which run. Times are milliseconds since 1970-01-01 UTC; after `expires` anyone may
-- take the run over.
CREATE TABLE leases (
  identity TEXT PRIMARY KEY CHECK (length(identity) = 64),
  owner    TEXT NOT NULL CHECK (owner <> ''),
  taken    INTEGER NOT NULL,
  expires  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Finished runs that were computed once more.
CREATE TABLE verifications (
  verification_id     INTEGER PRIMARY KEY,
  run_id              INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  time                TEXT NOT NULL,
  level               TEXT NOT NULL CHECK (level IN ('bit-equal', 'same-kernel', 'statistical')),
  trained_hash        TEXT NOT NULL,
  predictions         INTEGER NOT NULL CHECK (predictions >= 0),
  changed_predictions INTEGER NOT NULL CHECK (changed_predictions BETWEEN 0 AND predictions)
) STRICT;
CREATE INDEX verifications_run ON verifications (run_id);

CREATE TABLE verification_values (
  verification_id INTEGER NOT NULL REFERENCES verifications ON DELETE CASCADE,
  position        INTEGER NOT NULL,
  name            TEXT NOT NULL CHECK (name <> ''),
  value           TEXT NOT NULL,
  PRIMARY KEY (verification_id, position),
  UNIQUE (verification_id, name)
) STRICT, WITHOUT ROWID;

-- ------------------------------------------------------------------------- views, for people

DROP VIEW parameters;
CREATE VIEW parameters AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       c.scope, c.owner, c.trainable,
       100.0 * c.trainable / NULLIF(r.backbone_parameters, 0) AS percent_of_backbone,
       c.stored_bytes, r.identity AS run
FROM study_runs p
JOIN studies s USING (study_id)
JOIN runs r ON r.identity = p.identity
JOIN parameter_counts c ON c.run_id = r.run_id
ORDER BY s.name, p.row_index, r.seed, c.position;

-- step_flops stands beside the training it was counted in, image_flops beside the evaluation.
DROP VIEW cost;
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
DROP VIEW ranking;
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
       q.row_label AS label, COUNT(*) AS seeds,
       (SELECT COUNT(*) FROM study_runs n
        WHERE n.study_id = q.study_id AND n.row_index = q.row_index) AS planned,
       AVG(q.accuracy) AS mean_accuracy, AVG(q.trainable) AS trainable
FROM per_run q
JOIN studies s USING (study_id)
GROUP BY q.study_id, q.row_index
ORDER BY s.name, place, q.row_index;

CREATE VIEW searches AS
SELECT s.name AS study,
       (SELECT p.row_label FROM study_runs p
        WHERE p.study_id = x.study_id AND p.row_index = x.row_index LIMIT 1) AS label,
       x.strategy, x.trials, x.trial_runs, x.trial_study, x.validation_accuracy,
       (SELECT GROUP_CONCAT(pair, ', ') FROM
         (SELECT v.name || ' = ' || v.value AS pair FROM study_search_values v
          WHERE v.study_id = x.study_id AND v.row_index = x.row_index
          ORDER BY v.position)) AS chosen
FROM study_searches x
JOIN studies s USING (study_id)
ORDER BY s.name, x.row_index;
