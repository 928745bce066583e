ifNull(reinterpretAsUInt64(toUnixTimestamp64Nano({{column}})), bitNot(toUInt64(0)))
