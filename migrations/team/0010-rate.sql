-- What the operator says of how much a provider may ask; what it does not say is
-- at its default.
ALTER TABLE team ADD COLUMN requests_per_second INTEGER;
ALTER TABLE team ADD COLUMN request_burst INTEGER;
