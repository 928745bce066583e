-- A row is refused by itself, so that the others of its block are stored. A time that cannot be: before 2009, when
    -- nothing was traded yet (a time in another unit shows there too), or more than a day after the message says that it
    -- was received, or after 2100. Every other time is stored, however many days lie in one block.
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(
        sound AND {{time_ms}} >= 1230768000000 AND {{time_ms}} < 4102444800000 AND received_ns < 4102444800000000000
            AND (fields.received_ns <= 0 OR {{time_ms}} <= intDiv(fields.received_ns, 1000000) + 86400000), '',
        sound, 'impossible_time',
        isValidJSON(message), 'incomplete_message',
        'unreadable_message') AS refusal
