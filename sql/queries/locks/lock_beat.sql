INSERT INTO _migrating (at) SELECT now()
