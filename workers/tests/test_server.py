"""A worker over HTTP: what it answers when, how much at once, and how it ends."""

import asyncio
import os
import signal
import socket
import threading

import aiohttp
import pytest

from common import server
from common.errors import RequestError, StartError
from common.worker import Worker
from conftest import base64_of, image, vectors_of
from running import RunningWorker, ask, until

SECRET = "correct horse battery staple"


class Held:
    """A worker whose jobs begin, and end when they are let go."""

    def __init__(self):
        self.begun, self.may_go, self.cancelled = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()
        self.worker = Worker("test", {"hold": self.hold, "full": self.full}, lambda: {"loaded": True})

    async def hold(self, fields: dict) -> dict:
        self.begun.release()
        try:
            await self.may_go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return {"texts": fields["texts"]}

    async def full(self, _fields: dict) -> dict:
        raise RequestError("overloaded", "7 items wait already")


def served(monkeypatch, test, load, is_told: bool = True) -> int:
    """Runs `test` with a client of a server in this process, which then is told to stop; the status it ends with."""
    async def go() -> int:
        ports: asyncio.Queue = asyncio.Queue()
        monkeypatch.setattr(server, "log", lambda _name, line: ports.put_nowait(line))
        task = asyncio.create_task(server._serve("test", load, server.Settings("127.0.0.1", (0,), concurrency=2)))
        port = int((await ports.get()).removeprefix("listening on "))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(60)) as client:
            await asyncio.wait_for(test(client), 60)
            if is_told:
                os.kill(os.getpid(), signal.SIGTERM)
            return await asyncio.wait_for(task, 60)

    return asyncio.run(go())


async def answer(client, **fields):
    async with client.post("/embed", json=fields) as response:
        return response.status, await response.json()


async def ready(client) -> None:
    while (await client.get("/ping")).status != 200:
        await asyncio.sleep(0)


def test_pings_are_answered_while_the_models_load(monkeypatch):
    held, may_load = Held(), threading.Event()
    held.may_go.set()

    async def test(client):
        for _ in range(3):
            assert (await client.get("/ping")).status == 204
        response = await client.post("/embed", json={"type": "hold", "texts": ["a"]})
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        may_load.set()
        await ready(client)
        assert await answer(client, type="hold", texts=["a"]) == (200, {"texts": ["a"]})
        assert await answer(client, type="health") == (200, {"loaded": True})

    def load() -> Worker:
        assert may_load.wait(60)
        return held.worker

    assert served(monkeypatch, test, load) == 0


def test_it_is_told_to_stop_while_the_models_load(monkeypatch):
    may_load = threading.Event()

    async def test(client):
        assert (await client.get("/ping")).status == 204

    try:
        assert served(monkeypatch, test, lambda: may_load.wait(60)) == 0
    finally:
        may_load.set()


@pytest.mark.parametrize("error", [StartError("no model"), ValueError(SECRET)])
def test_it_ends_where_the_models_cannot_be_loaded(monkeypatch, error):
    may_load, lines = threading.Event(), []

    async def test(client):
        monkeypatch.setattr(server, "log", lambda _name, line: lines.append(line))
        may_load.set()

    def load() -> Worker:
        assert may_load.wait(60)
        raise error

    assert served(monkeypatch, test, load, is_told=False) == 1
    [line] = lines
    assert line == "no model" or "ValueError at test_server.py" in line and SECRET not in line


def test_what_is_too_much_at_once_is_refused_and_who_has_gone_makes_room(monkeypatch):
    held = Held()

    async def test(client):
        await ready(client)
        first, second = (asyncio.create_task(answer(client, type="hold", texts=[text])) for text in "ab")
        for _ in range(2):
            await held.begun.acquire()
        response = await client.post("/embed", json={"type": "health"})
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["error"]["code"] == "overloaded"
        assert (await client.get("/ping")).status == 200
        second.cancel()
        await held.cancelled.wait()
        while (await answer(client, type="health"))[0] == 429:
            await asyncio.sleep(0)
        # What waits for the model is bounded too.
        assert await answer(client, type="full") == (
            429, {"error": {"code": "overloaded", "message": "7 items wait already"}})
        held.may_go.set()
        assert await first == (200, {"texts": ["a"]})

    assert served(monkeypatch, test, lambda: held.worker) == 0


def test_what_is_under_way_is_answered_when_it_is_told_to_stop(monkeypatch):
    held, answers, stops, stop = Held(), [], asyncio.Event(), server.web.AppRunner.cleanup

    async def cleanup(runner) -> None:
        stops.set()
        await stop(runner)

    async def test(client):
        monkeypatch.setattr(server.web.AppRunner, "cleanup", cleanup)
        await ready(client)
        first = asyncio.create_task(answer(client, type="hold", texts=["a"]))
        await held.begun.acquire()
        os.kill(os.getpid(), signal.SIGTERM)
        await stops.wait()
        held.may_go.set()
        answers.append(await first)

    assert served(monkeypatch, test, lambda: held.worker, is_told=False) == 0
    assert answers == [(200, {"texts": ["a"]})]


@pytest.fixture(scope="module")
def echo():
    """A process without a model."""
    with RunningWorker("echo_worker") as running:
        yield running


def test_a_process_answers_what_its_jobs_return(echo):
    status, body = echo.embed(type="text", texts=["a", "b"])
    assert status == 200 and (body["model"], body["dimension"], len(set(body["vectors"]))) == ("echo", 8, 2)
    assert echo.embed(type="fail") == (200, {"error": {"code": "bad_request", "message": "it was told to fail"}})
    status, body = echo.embed(type="raise")
    assert status == 200 and body["error"]["code"] == "internal" and "told" not in str(body) + echo.logged()


@pytest.mark.parametrize(("body", "status", "code"), [
    (SECRET.encode(), 400, "bad_request"), (b"", 400, "bad_request"), (b'"\xff"', 400, "bad_request"), (b"[]", 400, "bad_request"),
    (b"[" * 100_000, 400, "bad_request"), (b"9" * 10_000, 400, "bad_request"), (b"7" * 30_000_001, 413, "too_large"),
    (b'{"type": "fail", "x": "%s"}' % (b"y" * 29_900_000), 200, "bad_request")])
def test_bodies_that_are_none_are_refused(echo, body, status, code):
    given, reply, _ = ask(echo.port, "POST", "/embed", body)
    assert (given, reply["error"]["code"]) == (status, code) and SECRET not in str(reply)


def test_a_body_of_unknown_length_has_the_same_bound(echo):
    with socket.create_connection(("127.0.0.1", echo.port), 60) as connection:
        connection.sendall(b"POST /embed HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(31):
                connection.sendall(b"f4240\r\n" + b"7" * 1_000_000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_what_is_no_http_is_not_logged(echo):
    before = echo.logged()
    for line in (SECRET, f"GET / HTTP/1.1\r\n{SECRET}"):
        with socket.create_connection(("127.0.0.1", echo.port), 60) as connection:
            connection.sendall(f"{line}\r\n\r\n".encode())
            assert b"400" in connection.recv(1000)
    assert [ask(echo.port, *wrong)[0] for wrong in (("GET", "/embed"), ("POST", "/ping"), ("GET", "/none"))] == [405, 405, 404]
    assert echo.logged() == before


def test_a_signal_ends_it_well_and_a_port_that_is_taken_does_not(echo):
    with RunningWorker("echo_worker") as running:
        with pytest.raises(AssertionError, match=f"cannot listen on port {running.port} of 127.0.0.1: Address already in use"):
            RunningWorker("echo_worker", PORT=running.port).__enter__()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0


def test_pings_may_come_to_a_port_of_their_own(echo):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with RunningWorker("echo_worker", PORT_HEALTH=port) as running:
        until(lambda: ask(port, "GET", "/ping")[0] == 200, "it is ready")
        assert len({int(word) for word in running.logged().splitlines()[0].split() if word.isdigit()}) == 2


@pytest.mark.parametrize(("variable", "value"), [("PORT", "http"), ("PORT_HEALTH", "65536"), ("PORT", "-1"), ("WORKER_CONCURRENCY", "0")])
def test_a_setting_that_is_not_right_is_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(StartError, match=variable):
        server.Settings.of_environment()


def test_models_answer_as_they_do_in_the_queue(gateway, models, minilm):
    import numpy

    texts = ["The deploy failed: its token had expired.", "東京", "a dog"]
    with RunningWorker("bge_m3.handler", WORKER_MODEL=minilm, WORKER_MODEL_NAME="all-MiniLM-L6-v2") as running:
        status, output = running.embed(type="text", texts=texts)
        queued = gateway.output("minilm", type="text", texts=texts)
        assert (status, output["model"], output["dimension"]) == (200, "all-MiniLM-L6-v2", 384)
        assert numpy.abs(vectors_of(output) - vectors_of(queued)).max() < 1e-6
        status, output = running.embed(type="text", texts=[SECRET, ""])
        assert (status, output["error"]["code"]) == (200, "bad_request") and "input.texts[1]" in output["error"]["message"]
        assert SECRET not in running.logged() and "bge_m3: is ready" in running.logged()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
    pictures = [base64_of(image(seed)) for seed in (1, 2)]
    with RunningWorker("siglip2.handler", WORKER_MODEL=models["siglip2"], WORKER_MAX_IMAGES=2) as running:
        status, output = running.embed(type="image", images=pictures)
        queued = gateway.output("siglip2", type="image", images=pictures)
        assert status == 200 and numpy.abs(vectors_of(output) - vectors_of(queued)).max() < 1e-6
        assert running.embed(type="image", images=pictures * 2)[1]["error"]["code"] == "too_many"
