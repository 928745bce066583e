-- What has been applied. A migration is written once; a stream each time it is created anew, and the newest row holds.
CREATE TABLE IF NOT EXISTS _migrations {{cluster}}
(
    name              String                      COMMENT 'migrations/... or streams/...',
    sha256            String                      COMMENT 'of the shipped file; of the filled-in text for streams',
    applied_at        DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when'
)
ENGINE = {{engine}}MergeTree
ORDER BY (name, applied_at);
