"""At every venue: what is numbered lower and comes later is a reset, which is marked and costs nothing more.

Templates: ``{n}`` is the number, ``{p}`` the one before it, ``{t}`` the venue time in ms, ``{i}`` the same as RFC 3339.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mdplatform import venues
from mdplatform.core.events import FeedStatus, Quote, Trade
from mdplatform.core.session import Output, Session

T = 1_790_000_000_000  # ms

NUMBERED_TRADES = {
    "binance": '{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{t},"s":"BTCUSDT","t":{n},"p":"1","q":"1",'
    '"T":{t},"m":true}}}}',
    "binance-usdm": '{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{t},"a":{n},"s":"BTCUSDT","p":"1",'
    '"q":"1","f":1,"l":1,"T":{t},"m":true}}}}',
    "binance-usdm trade": '{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{t},"T":{t},"s":"BTCUSDT","t":{n},'
    '"p":"1","q":"1","X":"MARKET","m":true}}}}',
    "binance-coinm": '{{"stream":"btcusd_perp@aggTrade","data":{{"e":"aggTrade","E":{t},"a":{n},"s":"BTCUSD_PERP",'
    '"p":"1","q":"1","f":1,"l":1,"T":{t},"m":true}}}}',
    "coinbase": '{{"type":"match","trade_id":{n},"side":"sell","size":"1","price":"1","product_id":"BTC-USD",'
    '"time":"{i}"}}',
    "deribit": '{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"trades.BTC-PERPETUAL.100ms","data":'
    '[{{"trade_seq":{n},"trade_id":"{n}","timestamp":{t},"price":1.0,"instrument_name":"BTC-PERPETUAL",'
    '"direction":"buy","amount":10.0}}]}}}}',
    "gate": '{{"time":1790000000,"channel":"spot.trades","event":"update","result":{{"id":{n},"id_market":{n},'
    '"create_time_ms":"{t}.5","side":"sell","currency_pair":"BTC_USDT","amount":"1","price":"1"}}}}',
    "kraken": '{{"channel":"trade","type":"update","data":[{{"symbol":"BTC/USD","side":"buy","price":1,"qty":1,'
    '"trade_id":{n},"timestamp":"{i}"}}]}}',
    "kraken futures": '{{"feed":"trade","product_id":"PF_XBTUSD","side":"buy","type":"fill","seq":{n},"time":{t},'
    '"qty":1,"price":1}}',
    "okx": '{{"arg":{{"channel":"trades","instId":"BTC-USDT"}},"data":[{{"instId":"BTC-USDT","tradeId":"{n}",'
    '"px":"1","sz":"1","side":"buy","ts":"{t}","count":"1"}}]}}',
    "okx trades-all": '{{"arg":{{"channel":"trades-all","instId":"BTC-USDT"}},"data":[{{"instId":"BTC-USDT",'
    '"tradeId":"{n}","px":"1","sz":"1","side":"buy","ts":"{t}"}}]}}',
}
OTHER_TRADES = {
    "bybit": '{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{t},"data":[{{"T":{t},"s":"BTCUSDT","S":"Buy",'
    '"v":"1","p":"1","i":"id-{n}"}}]}}',
    "bitget": '{{"action":"update","arg":{{"instType":"usdt-futures","topic":"publicTrade","symbol":"BTCUSDT"}},'
    '"ts":{t},"data":[{{"i":"{n}","p":"1","v":"1","S":"buy","T":"{t}"}}]}}',
    "gate": '{{"time":1790000000,"channel":"futures.trades","event":"update","result":[{{"size":1,"id":{n},'
    '"create_time_ms":{t},"price":"1","contract":"BTC_USDT"}}]}}',
    "kucoin": '{{"topic":"/market/match:BTC-USDT","type":"message","subject":"trade.l3match","data":{{"symbol":'
    '"BTC-USDT","side":"buy","size":"1","price":"1","tradeId":"{n}","sequence":"{n}","time":"{t}000000"}}}}',
    "kucoin futures": '{{"topic":"/contractMarket/execution:XBTUSDTM","type":"message","subject":"match","data":'
    '{{"symbol":"XBTUSDTM","sequence":{n},"side":"sell","size":2,"price":"1","tradeId":"{n}","ts":{t}000000}}}}',
    "cryptocom": '{{"id":-1,"method":"subscribe","code":0,"result":{{"instrument_name":"BTC_USD","subscription":'
    '"trade.BTC_USD","channel":"trade","data":[{{"d":"{n}","t":{t},"p":"1","q":"1","s":"BUY","i":"BTC_USD"}}]}}}}',
    "hyperliquid": '{{"channel":"trades","data":[{{"coin":"BTC","side":"A","px":"1","sz":"1","time":{t},"tid":{n}}}]}}',
}
QUOTES = {
    "binance": '{{"stream":"btcusdt@bookTicker","data":{{"u":{n},"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}}}',
    "binance-usdm": '{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{n},"E":{t},"T":{t},'
    '"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}}}',
    "binance-coinm": '{{"stream":"btcusd_perp@bookTicker","data":{{"e":"bookTicker","u":{n},"E":{t},"T":{t},'
    '"s":"BTCUSD_PERP","b":"1","B":"1","a":"2","A":"1"}}}}',
    "bitget": '{{"data":[{{"a":[["2","1"]],"b":[["1","2"]],"seq":{n},"ts":"{t}"}}],"arg":{{"instType":"spot",'
    '"symbol":"BTCUSDT","topic":"books1"}},"action":"snapshot","ts":{t}}}',
    "bybit": '{{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":{t},"data":{{"s":"BTCUSDT","b":[["1","1"]],'
    '"a":[["2","2"]],"u":{n}}},"cts":{t}}}',
    "gate": '{{"time":1790000000,"channel":"spot.book_ticker","event":"update","result":{{"t":{t},"u":{n},'
    '"s":"BTC_USDT","b":"1","B":"1","a":"2","A":"1"}}}}',
    "gate futures": '{{"time":1790000000,"channel":"futures.book_ticker","event":"update","result":{{"t":{t},"u":{n},'
    '"s":"BTC_USDT","b":"1","B":1,"a":"2","A":1}}}}',
    "kucoin": '{{"topic":"/contractMarket/tickerV2:XBTUSDTM","type":"message","subject":"tickerV2","data":{{"symbol":'
    '"XBTUSDTM","sequence":{n},"bestBidSize":1,"bestBidPrice":"1","bestAskPrice":"2","bestAskSize":1,'
    '"ts":{t}000000}}}}',
    "okx": '{{"arg":{{"channel":"bbo-tbt","instId":"BTC-USDT"}},"data":[{{"asks":[["2","1","0","1"]],"bids":[["1",'
    '"1","0","1"]],"ts":"{t}","seqId":{n}}}]}}',
}
# What the book begins with, and a message that follows.
BOOKS = {
    "binance": (
        '{{"lastUpdateId":{p},"bids":[["1","1"]],"asks":[["3","1"]]}}',
        '{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{t},"s":"BTCUSDT","U":{n},"u":{n},'
        '"b":[["2","1"]],"a":[]}}}}',
    ),
    "binance-usdm": (
        '{{"lastUpdateId":{p},"E":{t},"T":{t},"bids":[["1","1"]],"asks":[["3","1"]]}}',
        '{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{t},"T":{t},"s":"BTCUSDT","U":{n},"u":{n},'
        '"pu":{p},"b":[["2","1"]],"a":[]}}}}',
    ),
    "binance partial": (
        "",
        '{{"stream":"btcusdt@depth20@100ms","data":{{"lastUpdateId":{n},"bids":[["1","1"]],"asks":[["3","1"]]}}}}',
    ),
    "bitget": (
        '{{"data":[{{"a":[["3","1"]],"b":[["1","1"]],"pseq":0,"seq":{p},"ts":"{t}"}}],"arg":{{"instType":"spot",'
        '"symbol":"BTCUSDT","topic":"books"}},"action":"snapshot","ts":{t}}}',
        '{{"data":[{{"a":[],"b":[["2","1"]],"pseq":{p},"seq":{n},"ts":"{t}"}}],"arg":{{"instType":"spot",'
        '"symbol":"BTCUSDT","topic":"books"}},"action":"update","ts":{t}}}',
    ),
    "bybit": (
        '{{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":{t},"data":{{"s":"BTCUSDT","b":[["1","1"]],'
        '"a":[["3","1"]],"u":{p}}},"cts":{t}}}',
        '{{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":{t},"data":{{"s":"BTCUSDT","b":[["2","1"]],"a":[],'
        '"u":{n}}},"cts":{t}}}',
    ),
    "cryptocom": (
        '{{"id":-1,"method":"subscribe","code":0,"result":{{"instrument_name":"BTC_USD","subscription":'
        '"book.BTC_USD.50","channel":"book","depth":50,"data":[{{"asks":[["3","1","1"]],"bids":[["1","1","1"]],'
        '"t":{t},"tt":{t},"u":{p}}}]}}}}',
        '{{"id":-1,"method":"subscribe","code":0,"result":{{"instrument_name":"BTC_USD","subscription":'
        '"book.BTC_USD.50","channel":"book.update","depth":50,"data":[{{"update":{{"asks":[],"bids":'
        '[["2","1","1"]]}},"t":{t},"tt":{t},"u":{n},"pu":{p}}}]}}}}',
    ),
    "deribit": (
        '{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.100ms","data":{{"type":'
        '"snapshot","timestamp":{t},"instrument_name":"BTC-PERPETUAL","change_id":{p},"bids":[["new",1.0,10.0]],'
        '"asks":[["new",3.0,10.0]]}}}}}}',
        '{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.100ms","data":{{"type":'
        '"change","timestamp":{t},"prev_change_id":{p},"instrument_name":"BTC-PERPETUAL","change_id":{n},'
        '"bids":[["new",2.0,10.0]],"asks":[]}}}}}}',
    ),
    "gate": (
        '{{"channel":"spot.obu","event":"update","result":{{"t":{t},"full":true,"s":"ob.BTC_USDT.400","u":{p},'
        '"b":[["1","1"]],"a":[["3","1"]]}},"time_ms":{t}}}',
        '{{"channel":"spot.obu","event":"update","result":{{"t":{t},"s":"ob.BTC_USDT.400","U":{n},"u":{n},'
        '"b":[["2","1"]]}},"time_ms":{t}}}',
    ),
    "kraken": (
        '{{"feed":"book_snapshot","product_id":"PF_XBTUSD","timestamp":{t},"seq":{p},"bids":[{{"price":1,"qty":1}}],'
        '"asks":[{{"price":3,"qty":1}}]}}',
        '{{"feed":"book","product_id":"PF_XBTUSD","side":"buy","seq":{n},"price":2,"qty":2,"timestamp":{t}}}',
    ),
    "kucoin": (
        '{{"code":"200000","data":{{"sequence":{p},"symbol":"XBTUSDTM","bids":[["1",1]],"asks":[["3",1]],'
        '"ts":{t}000000}}}}',
        '{{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","data":{{"sequence":{n},'
        '"change":"2,buy,5","timestamp":{t}}}}}',
    ),
    "kucoin pushed": (
        '{{"T":"obu.SPOT","t":"snapshot","P":1,"d":{{"s":"BTC-USDT","O":{p},"C":{p},"M":{t}000000,"a":[["3","1"]],'
        '"b":[["1","1"]]}}}}',
        '{{"T":"obu.SPOT","t":"delta","P":1,"d":{{"s":"BTC-USDT","O":{n},"C":{n},"M":{t}000000,"a":[],'
        '"b":[["2","1"]]}}}}',
    ),
    "okx": (
        '{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"action":"snapshot","data":[{{"asks":[["3","1","0","1"]],'
        '"bids":[["1","1","0","1"]],"ts":"{t}","prevSeqId":-1,"seqId":{p}}}]}}',
        '{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"action":"update","data":[{{"asks":[],"bids":[["2","1",'
        '"0","1"]],"ts":"{t}","prevSeqId":{p},"seqId":{n}}}]}}',
    ),
}


def session(name: str) -> Session:
    venue = venues.venue(name.partition(" ")[0])
    return venue.reader(venue.known_instruments())


def sent(made: Session, template: str, number: int, second: int) -> list[Output]:
    """The outputs of a frame with this number, sent ``second`` s after the start and received 0.2 s later."""
    if not template:
        return []
    ms = T + second * 1000
    iso = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    frame = template.format(n=number, p=number - 1, t=ms, i=iso)
    return made.receive(frame.encode(), (ms + 200) * 1_000_000)


def resets(outputs: list[Output]) -> list[str]:
    """The channels whose numbers are said to begin again."""
    said = [o for o in outputs if isinstance(o, FeedStatus) and o.cause == "sequence_reset" and o.ended_ns is None]
    return [status.channel for status in said]


def ids(outputs: list[Output]) -> list[str]:
    return [o.id.rpartition("-")[2] for o in outputs if isinstance(o, Trade)]


@pytest.mark.parametrize("name", NUMBERED_TRADES)
def test_trades_that_are_lower_and_later_are_published_and_the_reset_is_marked(name: str) -> None:
    made, template = session(name), NUMBERED_TRADES[name]
    before = [o for n in (5000, 5001) for o in sent(made, template, n, n - 5000)]
    after = [o for n in (1, 2, 3) for o in sent(made, template, n, 10 + n)]
    assert (ids(before), resets(before)) == (["5000", "5001"], [])
    assert (ids(after), resets(after)) == (["1", "2", "3"], ["trades"])
    assert not any(isinstance(o, FeedStatus) and o.missed for o in after)


@pytest.mark.parametrize("name", NUMBERED_TRADES)
def test_trades_that_are_lower_and_not_later_are_repeated(name: str) -> None:
    made, template = session(name), NUMBERED_TRADES[name]
    for number in (5000, 5001, 5002):
        sent(made, template, number, number - 5000)
    out = [o for n in (4999, 5000, 5001, 5002) for o in sent(made, template, n, max(0, n - 5000))]
    assert (ids(out), resets(out)) == ([], [])


@pytest.mark.parametrize("name", OTHER_TRADES)
def test_the_same_id_at_another_time_is_another_trade(name: str) -> None:
    made, template = session(name), OTHER_TRADES[name]
    times = [1, 90_000, 90_000, 1]
    assert [ids(sent(made, template, 7, second)) for second in times] == [["7"], ["7"], [], []]


@pytest.mark.parametrize("name", QUOTES)
def test_quotes_that_are_lower_and_later_go_on_and_the_reset_is_marked(name: str) -> None:
    made, template = session(name), QUOTES[name]
    out = [o for n, second in ((900, 1), (901, 2), (5, 3), (6, 4)) for o in sent(made, template, n, second)]
    assert [o.sequence for o in out if isinstance(o, Quote)] == [900, 901, 5, 6]
    assert resets(out) == ["bbo"]


@pytest.mark.parametrize("name", [name for name in QUOTES if name != "binance"])  # its quotes hold no time
def test_quotes_that_are_lower_and_not_later_are_dropped(name: str) -> None:
    made, template = session(name), QUOTES[name]
    out = [o for n, second in ((900, 1), (902, 3), (901, 2)) for o in sent(made, template, n, second)]
    assert [o.sequence for o in out if isinstance(o, Quote)] == [900, 902]
    assert resets(out) == []


@pytest.mark.parametrize("name", BOOKS)
def test_a_book_whose_numbers_begin_again_says_so(name: str) -> None:
    made, (start, template) = session(name), BOOKS[name]
    out = sent(made, start, 900, 0)
    out += [o for n, second in ((900, 1), (901, 2), (5, 3)) for o in sent(made, template, n, second)]
    assert "book" in resets(out)
