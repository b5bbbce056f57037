-- Version 6 of the results store: the adapters of a run are kept in a file beside the store, and may
-- be evaluated on other data.

-- SHA-256 and size of the file; '' and 0 where none was kept (all runs of earlier versions).
ALTER TABLE runs ADD COLUMN adapters_hash TEXT NOT NULL DEFAULT ''
  CHECK (length(adapters_hash) IN (0, 64));
ALTER TABLE runs ADD COLUMN adapters_bytes INTEGER NOT NULL DEFAULT 0
  CHECK ((adapters_bytes > 0) = (adapters_hash <> '') AND adapters_bytes >= 0);

-- An evaluation tests the adapters of another run, its parent, and trains nothing.
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'training'
  CHECK (kind IN ('training', 'evaluation'));
ALTER TABLE runs ADD COLUMN parent TEXT REFERENCES runs (identity)
  CHECK ((kind = 'evaluation') = (parent IS NOT NULL));
CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL;

-- A finished evaluation and task, for each study that plans the run whose adapters it tests.
CREATE VIEW evaluations AS
SELECT s.name AS study, p.row_label AS label, r.method, r.sharing, r.grouping, r.seed,
       d.name AS dataset, v.name AS split, t.name AS task, x.n_test, x.n_correct,
       CAST(x.n_correct AS REAL) / NULLIF(x.n_test, 0) AS accuracy, x.loss,
       r.parent, r.identity AS run
FROM runs r
JOIN study_runs p ON p.identity = r.parent
JOIN studies s USING (study_id)
JOIN splits v USING (split_id)
JOIN datasets d USING (dataset_id)
JOIN task_results x USING (run_id)
JOIN tasks t ON t.task_id = x.task_id
JOIN split_tasks o ON o.split_id = r.split_id AND o.task_id = x.task_id
WHERE r.kind = 'evaluation' AND r.status = 'done'
ORDER BY s.name, p.row_index, r.seed, d.name, r.identity, o.position;
