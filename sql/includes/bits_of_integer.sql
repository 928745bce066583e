ifNull(toUInt64({{column}}), bitNot(toUInt64(0)))
