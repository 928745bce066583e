ifNull(reinterpretAsUInt64({{column}}), bitNot(toUInt64(0)))
