-- Version 5 of the results store: a split belongs to a data set. A data set with a repaired picture
-- is another one, whose splits have the same ids and so the same hashes.

CREATE TABLE splits_of_datasets (
  split_id   INTEGER PRIMARY KEY,
  dataset_id INTEGER NOT NULL REFERENCES datasets,
  hash       TEXT NOT NULL CHECK (hash <> ''),
  name       TEXT NOT NULL,
  fraction   REAL NOT NULL CHECK (fraction BETWEEN 0 AND 1),
  seed       INTEGER NOT NULL CHECK (seed >= 0),
  UNIQUE (dataset_id, hash)
) STRICT;
INSERT INTO splits_of_datasets (split_id, dataset_id, hash, name, fraction, seed)
  SELECT split_id, dataset_id, hash, name, fraction, seed FROM splits;
DROP TABLE splits;
ALTER TABLE splits_of_datasets RENAME TO splits;
CREATE INDEX splits_hash ON splits (hash);
