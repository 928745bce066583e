CREATE TABLE {{{{at}}}}.{{stream}}_kafka {{cluster}}
(
    message           String                      COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_{{topics}}}}',
    kafka_group_name = '{{group}}.{{stream}}_kafka',
    kafka_format = 'RawBLOB', -- JSONEachRow reads some decimals one bit off, see the view
    kafka_num_consumers = {{consumers_{{topics}}}},
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = {{flush_ms_{{topics}}}},
    -- A block whose last poll was in vain, as between two bursts of a venue's books, is followed by a pause of this length.
    kafka_consumer_reschedule_ms = {{flush_ms_{{topics}}}},
    kafka_poll_timeout_ms = {{poll_ms_{{topics}}}},
    kafka_handle_error_mode = 'stream';
