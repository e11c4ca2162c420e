-- Whether a member whom no provider manages joined by single sign-on; otherwise
-- someone added them by hand. (`source` has a constraint that knows two words.)
ALTER TABLE resource ADD COLUMN joined INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1));
