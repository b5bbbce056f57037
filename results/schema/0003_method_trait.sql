-- Version 3 of the results store: what the method of a run says that it is.

-- 'baseline': the backbone as it is. '': nothing that the store has a word for. NULL: not said.
ALTER TABLE runs ADD COLUMN method_trait TEXT;

-- Runs of versions 1 and 2 did not say it. The one baseline of that time is known by its name, which
-- plugins wrote as zero-shot, zero_shot or ZeroShot.
DROP TRIGGER a_finished_run_is_never_changed;
UPDATE runs SET method_trait =
  CASE WHEN replace(replace(lower(method), '-', ''), '_', '') = 'zeroshot' THEN 'baseline'
       ELSE '' END;
CREATE TRIGGER a_finished_run_is_never_changed BEFORE UPDATE ON runs WHEN OLD.status = 'done'
BEGIN
  SELECT RAISE(ABORT, 'a finished run is never changed');
END;
