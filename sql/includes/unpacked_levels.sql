arrayConcat(b_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(bid_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(bid_prices)))) AS b,
    arrayConcat(bv_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), bid_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), bid_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(bid_prices), bid_sizes))) AS bv,
    arrayConcat(a_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(ask_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(ask_prices)))) AS a,
    arrayConcat(av_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), ask_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), ask_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(ask_prices), ask_sizes))) AS av
