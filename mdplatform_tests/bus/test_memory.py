from mdplatform.bus.memory import MemoryBus


def test_a_topic_that_is_not_kept_is_acknowledged_all_the_same() -> None:
    bus = MemoryBus(keeps=("letters",))
    for topic in ("books", "letters"):
        bus.publish(topic, b"", b"1", 1)
    bus.poll()
    assert (list(bus.topics), bus.stats().acknowledged) == (["letters"], 2)
