"""From a socket to a broker's acknowledgement, in three ways: ours, the plain stack, and the least that it takes.

Each is given the venue's addresses and the broker's, reports the number of frames it awaits through
``all_sent``, and returns the monotonic time at which the last message was acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import ujson
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from benchmarks.rivals.plain import Plain
from mdplatform.bus.config import producer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings

STREAMS = ("btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker")
CHANNELS = tuple(name.partition("@")[2] for name in STREAMS)
SUBSCRIBE = ujson.dumps({"method": "SUBSCRIBE", "params": STREAMS, "id": 1})
POLL_S = 0.002
TOPIC, KEY = "md.orderbook.normalized", b"BTCUSDT"

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

    async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
        nonlocal received
        async for message in socket:
            if '"stream"' in message.data[:10]:
                value = stack.take(message.data, time.time_ns())
                await producer.send(TOPIC, value, KEY)
                received += 1

    async with aiohttp.ClientSession() as http, http.ws_connect(f"{ws_url}/stream", compress=0) as socket:
        await socket.send_str(SUBSCRIBE)
        async with http.get(f"{rest_url}/api/v3/depth") as answer:
            stack.take(await answer.read(), time.time_ns())
        reading = asyncio.create_task(read(socket))
        sent = await all_sent()
        while received < sent:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        await producer.flush()
        ended = time.monotonic()
        reading.cancel()
    await producer.stop()
    return ended


async def floor(ws_url: str, rest_url: str, brokers: str, all_sent: AllSent) -> float:
    producer, acknowledged = Producer(producer_config(Settings(kafka_brokers=brokers))), 0

    def on_delivery(error: object, message: object) -> None:
        nonlocal acknowledged
        acknowledged += error is None

    async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.data[:10] == b'{"stream":':
                producer.produce(TOPIC, message.data, KEY, on_delivery=on_delivery)

    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{ws_url}/stream", compress=0, decode_text=False) as socket,
    ):
        await socket.send_str(SUBSCRIBE)
        async with http.get(f"{rest_url}/api/v3/depth") as answer:
            await answer.read()
        reading = asyncio.create_task(read(socket))
        sent = await all_sent()
        while acknowledged < sent:
            producer.poll(0)
            await asyncio.sleep(POLL_S)
        ended = time.monotonic()
        reading.cancel()
    return ended


WAYS = {"ours": ours, "plain": plain, "floor": floor}
