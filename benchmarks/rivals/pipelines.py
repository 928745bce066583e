"""From a socket to a broker's acknowledgement, in three ways: ours, the plain stack, and the least that it takes.

Each is given the venue's addresses and the broker's, tells through ``all_sent`` how many frames it awaits, and returns
the monotonic time at which the last message was acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import ujson
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from websockets.asyncio.client import connect

from benchmarks.rivals.plain import Plain
from mdplatform.bus.config import producer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.clock import SystemClock
from mdplatform.collector import CollectorConfig, collect
from mdplatform.settings import Settings

STREAMS = ("btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker")
CHANNELS = tuple(name.partition("@")[2] for name in STREAMS)
SUBSCRIBE = ujson.dumps({"method": "SUBSCRIBE", "params": STREAMS, "id": 1})
POLL_S = 0.002

AllSent = Callable[[], Awaitable[int]]


async def ours(ws_url: str, rest_url: str, brokers: str, all_sent: AllSent) -> float:
    settings, stop = Settings(kafka_brokers=brokers), asyncio.Event()
    config = CollectorConfig(
        venue="binance", symbols=("BTC-USDT",), channels=CHANNELS, ws_url=ws_url, rest_url=rest_url
    )
    with KafkaBus(settings) as bus:
        running = asyncio.create_task(collect(config, settings, bus, SystemClock(), stop))
        sent = await all_sent()
        while bus.stats().acknowledged < sent:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        ended = time.monotonic()
        stop.set()
        await running
    return ended


async def plain(ws_url: str, rest_url: str, brokers: str, all_sent: AllSent) -> float:
    stack, received = Plain("binance"), 0
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", enable_idempotence=True, linger_ms=5)
    await producer.start()
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{ws_url}/stream", compress=0) as socket:
        await socket.send_str(SUBSCRIBE)
        async with http.get(f"{rest_url}/api/v3/depth") as answer:
            stack.take(await answer.read(), time.time_ns())
        awaited = asyncio.ensure_future(all_sent())
        async for message in socket:
            if '"stream"' not in message.data[:10]:
                continue
            value = stack.take(message.data, time.time_ns())
            received += 1
            await producer.send("md.orderbook.normalized", value, b"BTCUSDT")
            if awaited.done() and received >= awaited.result():
                break
        await producer.flush()
        ended = time.monotonic()
    await producer.stop()
    return ended


async def floor(ws_url: str, rest_url: str, brokers: str, all_sent: AllSent) -> float:
    producer, acknowledged = Producer(producer_config(Settings(kafka_brokers=brokers))), 0

    def on_delivery(error: object, message: object) -> None:
        nonlocal acknowledged
        acknowledged += error is None

    async with connect(f"{ws_url}/stream", compression=None, max_queue=64, proxy=None) as socket:
        await socket.send(SUBSCRIBE)
        async with aiohttp.ClientSession() as http, http.get(f"{rest_url}/api/v3/depth") as answer:
            await answer.read()
        awaited, received = asyncio.ensure_future(all_sent()), 0
        while not (awaited.done() and received >= awaited.result()):
            frame = await socket.recv(decode=False)
            if frame[:10] != b'{"stream":':
                continue
            producer.produce("md.orderbook.normalized", frame, b"BTCUSDT", on_delivery=on_delivery)
            received += 1
            if not received % 64:
                producer.poll(0)
        while acknowledged < received:
            producer.poll(POLL_S)
        return time.monotonic()


WAYS = {"ours": ours, "plain": plain, "floor": floor}
