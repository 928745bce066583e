fromUnixTimestamp64Milli((intDiv({{time_ms}}, 86400000) + 1) * 86400000, 'UTC') AS timestamp, -- the next midnight
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at
