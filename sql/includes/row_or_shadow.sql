if(is_shadow, fromUnixTimestamp64Milli((intDiv({{time_ms}}, 86400000) + 1) * 86400000, 'UTC'), fromUnixTimestamp64Milli({{time_ms}}, 'UTC')) AS timestamp, -- the next midnight
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    -- Shadows have no message of their own.
    if(is_shadow, '', stream._topic) AS _topic, if(is_shadow, 0, stream._partition) AS _partition, if(is_shadow, 0, stream._offset) AS _offset
