CREATE TABLE _migrating (at DateTime DEFAULT now()) ENGINE = Memory
