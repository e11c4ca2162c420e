-- When whoever a session is of last proved themselves to whoever verified them;
-- NULL where nobody said.
ALTER TABLE session ADD COLUMN proven INTEGER;
