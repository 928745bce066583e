received_ns       Int64                       COMMENT 'receive time, ns',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    message           String                      COMMENT 'the whole message',
    refusal           LowCardinality(String)      COMMENT 'why it is not stored; empty when it is'
