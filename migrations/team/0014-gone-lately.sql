-- Who was suspended lately, to be counted without reading anybody else. A count
-- of the build before is none of the last hour: the first exact one replaces it.
CREATE INDEX resource_by_suspended ON resource (suspended) WHERE active = 0;
UPDATE team SET brake_since = NULL, brake_count = 1000000;
