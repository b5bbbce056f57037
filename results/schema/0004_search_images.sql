-- Version 4 of the results store: on which images a search was scored, and where its grid ended.

-- Searches of versions 2 and 3 held images out of the training part, and did not say how many.
ALTER TABLE study_searches ADD COLUMN added_trials INTEGER NOT NULL DEFAULT 0
  CHECK (added_trials >= 0);
ALTER TABLE study_searches ADD COLUMN scored_on TEXT NOT NULL DEFAULT 'held-out'
  CHECK (scored_on IN ('held-out', 'development'));
ALTER TABLE study_searches ADD COLUMN standard_error REAL CHECK (standard_error >= 0);

-- 'lowest' or 'highest': an end of what was tried. '': neither, or not said (versions 2 and 3).
ALTER TABLE study_search_values ADD COLUMN edge TEXT NOT NULL DEFAULT ''
  CHECK (edge IN ('', 'lowest', 'highest'));

CREATE TABLE study_search_images (
  study_id  INTEGER NOT NULL,
  row_index INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  task      TEXT NOT NULL CHECK (task <> ''),
  images    INTEGER NOT NULL CHECK (images >= 1),
  PRIMARY KEY (study_id, row_index, position),
  UNIQUE (study_id, row_index, task),
  FOREIGN KEY (study_id, row_index) REFERENCES study_searches ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

DROP VIEW searches;
CREATE VIEW searches AS
SELECT s.name AS study,
       (SELECT p.row_label FROM study_runs p
        WHERE p.study_id = x.study_id AND p.row_index = x.row_index LIMIT 1) AS label,
       x.strategy, x.trials, x.added_trials, x.trial_runs, x.trial_study, x.scored_on,
       (SELECT SUM(i.images) FROM study_search_images i
        WHERE i.study_id = x.study_id AND i.row_index = x.row_index) AS images,
       x.validation_accuracy, x.standard_error,
       (SELECT GROUP_CONCAT(pair, ', ') FROM
         (SELECT v.name || ' = ' || v.value AS pair FROM study_search_values v
          WHERE v.study_id = x.study_id AND v.row_index = x.row_index
          ORDER BY v.position)) AS chosen,
       (SELECT GROUP_CONCAT(pair, ', ') FROM
         (SELECT v.name || ' ' || v.edge AS pair FROM study_search_values v
          WHERE v.study_id = x.study_id AND v.row_index = x.row_index AND v.edge <> ''
          ORDER BY v.position)) AS edges
FROM study_searches x
JOIN studies s USING (study_id)
ORDER BY s.name, x.row_index;
