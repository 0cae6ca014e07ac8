"""Jobs that come while the model runs share its next run."""

import asyncio
import threading

import pytest

from common import worker as running
from common.batching import Batcher
from common.errors import RequestError
from common.limits import Limits


class Model:
    """Doubles numbers, and waits before its first run until it is let go."""

    def __init__(self):
        self.runs: list[list[int]] = []
        self.begun, self.may_go = threading.Event(), threading.Event()

    def __call__(self, items: list[int]) -> list[int]:
        self.runs.append(items)
        self.begun.set()
        assert self.may_go.wait(30)
        return [2 * item for item in items]


def test_what_waits_runs_together_in_order_and_up_to_the_size_of_a_batch():
    async def go():
        model = Model()
        batcher = Batcher(model, batch_size=4, max_waiting=100)
        first = asyncio.create_task(batcher.submit([0]))
        await asyncio.to_thread(model.begun.wait, 30)
        others = [asyncio.create_task(batcher.submit([10 * job, 10 * job + 1])) for job in range(1, 4)]
        await asyncio.sleep(0)
        model.may_go.set()
        assert await first == [0]
        assert await asyncio.gather(*others) == [[20, 22], [40, 42], [60, 62]]
        # A lone job waited for nobody.
        assert model.runs == [[0], [10, 11, 20, 21], [30, 31]]

    asyncio.run(go())


def test_a_cancelled_job_takes_its_items_with_it():
    async def go():
        model = Model()
        batcher = Batcher(model, batch_size=4, max_waiting=100)
        first = asyncio.create_task(batcher.submit([0]))
        await asyncio.to_thread(model.begun.wait, 30)
        cancelled, other = asyncio.create_task(batcher.submit([1, 2])), asyncio.create_task(batcher.submit([3]))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        model.may_go.set()
        assert await other == [6] and await first == [0]
        assert model.runs == [[0], [3]]

    asyncio.run(go())


def test_what_waits_has_a_bound():
    async def go():
        model = Model()
        batcher = Batcher(model, batch_size=1, max_waiting=2)
        first = asyncio.create_task(batcher.submit([0]))
        await asyncio.to_thread(model.begun.wait, 30)
        second = asyncio.create_task(batcher.submit([1, 2]))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="2 are the limit"):
            await batcher.submit([3])
        model.may_go.set()
        assert await second == [2, 4] and await first == [0]

    asyncio.run(go())


def test_an_error_reaches_each_job_of_its_batch_and_the_next_one_runs():
    # Which says whether an error is of a memory that is too small.
    pytest.importorskip("torch")

    async def go():
        calls = iter([ValueError("no"), None])

        def run(items):
            if error := next(calls):
                raise error
            return items

        batcher = Batcher(run, batch_size=10, max_waiting=10)
        results = await asyncio.gather(batcher.submit([1]), batcher.submit([2]), return_exceptions=True)
        assert all(isinstance(result, ValueError) for result in results)
        assert await batcher.submit([3]) == [3]

    asyncio.run(go())


def test_a_batch_that_does_not_fit_the_memory_is_halved():
    torch, runs = pytest.importorskip("torch"), []

    def run(items):
        runs.append(len(items))
        if len(items) > 3:
            raise torch.OutOfMemoryError("too many")
        return items

    batcher = Batcher(run, batch_size=100, max_waiting=100)
    assert asyncio.run(batcher.submit(list(range(10)))) == list(range(10))
    assert runs == [10, 5, 2, 3, 5, 2, 3]


def test_one_item_that_does_not_fit_is_told():
    torch = pytest.importorskip("torch")

    def run(_items):
        raise torch.OutOfMemoryError("too many")

    with pytest.raises(RequestError) as caught:
        asyncio.run(Batcher(run, batch_size=100, max_waiting=100).submit([1, 2]))
    assert caught.value.code == "out_of_memory"


def test_32_jobs_or_more_run_at_once(monkeypatch, models):
    """What the SDK is started with."""
    import runpod
    import torch as library

    from bge_m3.handler import load

    started = {}
    monkeypatch.setattr(runpod.serverless, "start", started.update)
    monkeypatch.setattr(library, "load", library.load)
    monkeypatch.setenv("WORKER_MODEL", str(models["bge_m3"]))
    running.run("test", load)
    assert started["concurrency_modifier"](1) == 32
    monkeypatch.setenv("WORKER_CONCURRENCY", "64")
    running.run("test", load)
    assert started["concurrency_modifier"](32) == 64
    inputs = [{"id": str(job), "input": {"type": "text", "texts": ["a dog"]}} for job in range(64)]

    async def together():
        return await asyncio.gather(*map(started["handler"], inputs))

    replies = asyncio.run(together())
    assert len(replies) == 64 and len({reply["vectors"][0] for reply in replies}) == 1


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("WORKER_MAX_TEXTS", "7")
    assert Limits.of_environment() == Limits(max_texts=7)
