-- How much a team's provider may ask, as the Team object has it.
ALTER TABLE team ADD COLUMN requests_per_second INTEGER;
ALTER TABLE team ADD COLUMN request_burst INTEGER;
