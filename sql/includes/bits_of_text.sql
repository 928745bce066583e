ifNull(toUInt64(CRC32(toString({{column}}))), bitNot(toUInt64(0)))
