"""Serves a worker over plain HTTP, as RunPod's load-balancing endpoints want it: no queue, and no SDK.

- `GET /ping` answers 204 while the models load, and 200 from then on.
- `POST /embed` takes what is the `input` of a job, and answers 200 with what the job would return, be it an error of the
  job. What is no job of its own has a status: 400 (no JSON, no object), 408, 413, 429 (too much at once) and 503 (the models load
  still), with an error of the same form.

RunPod's balancer checks keys, and sends no request to a worker that is not ready; nothing here checks a key.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from common.errors import StartError
from common.limits import whole_number
from common.worker import Worker, log, place_of

# RunPod's bound of a request, and what its body may take to come.
MAX_BODY_BYTES = 30_000_000
BODY_SECONDS = 60
# For what is under way when the process is told to stop; containers that take longer are killed, unless told otherwise.
SHUTDOWN_SECONDS = 10


@dataclass(frozen=True)
class Settings:
    """Where a worker listens, and how many requests it answers at once."""

    host: str
    ports: tuple[int, ...]
    concurrency: int

    @staticmethod
    def of_environment() -> "Settings":
        """RunPod sets PORT, and PORT_HEALTH where pings come to another one; with port 0 any that is free is taken."""
        port = _port("PORT", 80)
        ports = dict.fromkeys((port, _port("PORT_HEALTH", port)))
        return Settings(
            os.environ.get("WORKER_HOST", "").strip() or "0.0.0.0", tuple(ports), whole_number("WORKER_CONCURRENCY", 32))


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise StartError(f"{variable} must be a port, from 0 to 65535")
    return int(text)


class Server:
    """Answers requests by a worker, once there is one."""

    def __init__(self, concurrency: int):
        self.worker: Worker | None = None
        self._concurrency = concurrency
        self._busy = 0

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_get("/ping", self.ping)
        application.router.add_post("/embed", self.embed)
        return application

    async def ping(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self.worker else 204)

    async def embed(self, request: web.Request) -> web.Response:
        if self.worker is None:
            return _refusal(503, "starting", "the models load still: try again later")
        # Before anything is read: so many bodies are in memory, and no more.
        if self._busy >= self._concurrency:
            return _refusal(429, "overloaded", f"{self._busy} requests are answered already, which is the limit: try again later")
        self._busy += 1
        try:
            return await self._answer(request, self.worker)
        finally:
            self._busy -= 1

    @staticmethod
    async def _answer(request: web.Request, worker: Worker) -> web.Response:
        too_large = _refusal(413, "too_large", f"a body may have {MAX_BODY_BYTES} bytes: send fewer inputs")
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return too_large
        try:
            async with asyncio.timeout(BODY_SECONDS):
                fields = json.loads(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return too_large
        except TimeoutError:
            return _refusal(408, "bad_request", f"the body did not come within {BODY_SECONDS} seconds")
        except (ValueError, RecursionError):
            return _refusal(400, "bad_request", "the body is not JSON")
        if not isinstance(fields, dict):
            return _refusal(400, "bad_request", "the body must be an object, which a job has as its input")
        output = await worker.handle({"input": fields})
        error = output.get("error")
        if error and error["code"] == "overloaded":
            return _refusal(429, **error)
        return web.json_response(output)


def _refusal(status: int, code: str, message: str) -> web.Response:
    # Whoever may come again knows when.
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def serve(name: str, load: Callable[[], Worker], settings: Settings) -> NoReturn:
    """Listens, loads the models meanwhile, and answers until the process is told to stop; then ends it.

    The status is 0 after SIGTERM or SIGINT, and 1 where the worker cannot start.
    """
    # The framework would log what clients sent that is no HTTP.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL + 1)
    status = asyncio.run(_serve(name, load, settings))
    # A thread may load still, or compute what nobody waits for any more; neither is waited for.
    os._exit(status)


async def _serve(name: str, load: Callable[[], Worker], settings: Settings) -> int:
    server, end, loop = Server(settings.concurrency), asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    # A job whose client has gone is cancelled, and what of it waits for the model with it.
    runner = web.AppRunner(
        server.application(), handler_cancellation=True, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        for port in settings.ports:
            await web.TCPSite(runner, settings.host, port).start()
    except OSError as error:
        log(name, f"cannot listen on port {port} of {settings.host}: {os.strerror(error.errno) if error.errno else error}")
        return 1
    log(name, "listening on " + " and ".join(str(address[1]) for address in runner.addresses))
    loading = loop.run_in_executor(ThreadPoolExecutor(1, "loading"), load)
    ending = asyncio.create_task(end.wait())
    await asyncio.wait((loading, ending), return_when=asyncio.FIRST_COMPLETED)
    status = 0
    if loading.done():
        try:
            server.worker = loading.result()
        except StartError as error:
            log(name, str(error))
            status = 1
        except Exception as error:
            log(name, f"the models could not be loaded: {place_of(error)}")
            status = 1
        else:
            log(name, f"is ready with {server.worker.health()}")
            await ending
    try:
        # The framework waits as long again for what it could not end.
        await asyncio.wait_for(runner.cleanup(), SHUTDOWN_SECONDS)
    except TimeoutError:
        log(name, "ends with work under way")
    return status
