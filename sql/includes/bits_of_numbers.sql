arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), {{column}}, arrayEnumerate({{column}}))
