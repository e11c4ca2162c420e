-- When a member who is gone had last been suspended, so that an undone alarm
-- brings back who was suspended first and deleted then.
ALTER TABLE departed ADD COLUMN suspended INTEGER;
