"""Stands in for RunPod's queue on loopback, with real workers of its SDK behind it.

    python gateway.py [--port N] [--config FILE] [--lifetime SECONDS]

It prints `listening on PORT`. Clients find what RunPod documents (`/v2/ID/run`, `/runsync`, `/status/JOB`, `/stream/JOB`,
`/cancel/JOB`, `/retry/JOB`, `/purge-queue`, `/health`), workers the other half of it, and tests `/gateway/…`, which
RunPod does not have:

- `GET state`: requests by operation, faults left, health of each endpoint, its jobs and how many workers were started;
- `POST faults` with a list (see `faults.py`); `POST advance` with `{"seconds": n}`, which lets time pass;
- `POST kill` with `{"endpoint": ID}`, which kills its workers with SIGKILL; `POST endpoint` with `{"endpoint": ID,
  "maxWorkers": n}`: with 0 it is asleep, as RunPod leaves one that nobody used for a week.

FILE holds `{"key": …, "endpoints": {ID: {"module": …, "env": {…}, "maxWorkers": 1, "idleSeconds": 5, "queueDelay": 4}},
"limits": {"run": 1000, …}}`; limits are requests in 10 seconds. Without it there are the endpoints `echo` and `asleep`,
of `echo_worker.py`, the latter without workers, and the key is `gateway-key`. The gateway ends after its lifetime, when its
standard input is a pipe that is closed, or by a signal, and takes its workers with it.

Where RunPod's documents are silent it does what they make likely; no account was ever asked. Bodies of 401 and 404 are
among that.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import stat
import sys
import tempfile
from collections import deque
from pathlib import Path

from aiohttp import web

from endpoint import Clock, Endpoint, EndpointSettings, Job
from faults import Fault, Faults

MEBIBYTE = 1024 * 1024
BODY_LIMITS = {"run": 10 * MEBIBYTE, "runsync": 20 * MEBIBYTE}
RESULT_LIMIT = 20 * MEBIBYTE
# Requests in 10 seconds, of an endpoint with few workers.
RATES = {"run": 1000, "runsync": 2000, "status": 2000, "stream": 2000, "cancel": 100, "purge-queue": 2}
DEFAULTS = {"key": "gateway-key", "endpoints": {
    "echo": {"module": "echo_worker"}, "asleep": {"module": "echo_worker", "maxWorkers": 0}}}
POLL_SECONDS = 20


class Refusal(Exception):
    """A request that is answered by an error."""

    def __init__(self, status: int, body: dict | str):
        super().__init__(status)
        self.status, self.body = status, body


def reply(body: dict | list | str, status: int = 200, headers: dict | None = None) -> web.Response:
    """JSON for an object, HTML or plain text for a string."""
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "text/plain"
        return web.Response(text=body, status=status, headers=headers, content_type=kind)
    return web.json_response(body, status=status, headers=headers)


class Gateway:
    """The server. `endpoints` are made once the port is known, because workers are told of it."""

    def __init__(self, configuration: dict):
        self.clock, self.faults = Clock(), Faults()
        self.configuration = configuration
        self.key: str = configuration.get("key", DEFAULTS["key"])
        self.rates = RATES | configuration.get("limits", {})
        self.worker_key = secrets.token_hex(16)
        self.endpoints: dict[str, Endpoint] = {}
        self.requests: dict[str, int] = {}
        self._times: dict[tuple[str, str], deque[float]] = {}

    def application(self) -> web.Application:
        application = web.Application(client_max_size=32 * MEBIBYTE)
        router = application.router
        router.add_route("*", "/v2/{endpoint}/{operation}", self.client)
        router.add_route("*", "/v2/{endpoint}/{operation}/{job}", self.client)
        router.add_route("*", "/worker/{endpoint}/{operation}/{worker}", self.worker)
        router.add_route("*", "/worker/{endpoint}/{operation}/{worker}/{job}", self.worker)
        router.add_route("*", "/gateway/{operation}", self.control)
        return application

    def open(self, port: int, folder: Path) -> None:
        """Makes the endpoints of the configuration."""
        for name, values in self.configuration["endpoints"].items():
            place = folder / name
            place.mkdir(exist_ok=True)
            self.endpoints[name] = Endpoint(
                name, EndpointSettings.of(values), self.clock, f"http://127.0.0.1:{port}", self.worker_key, place)

    # Clients

    async def client(self, request: web.Request) -> web.StreamResponse:
        name, operation = request.match_info["endpoint"], request.match_info["operation"]
        self.requests[operation] = self.requests.get(operation, 0) + 1
        fault = self.faults.next(name, operation)
        if fault and fault.kind == "status":
            return reply(fault.body, fault.status, fault.headers)
        if fault and fault.kind in ("drop", "hang"):
            if fault.kind == "hang":
                await self._until_closed(request)
            return self._drop(request)
        try:
            response = reply(await self._answer(request, name, operation))
        except Refusal as refusal:
            response = reply(refusal.body, refusal.status)
        return await self._faulty(request, response, fault) if fault else response

    async def _answer(self, request: web.Request, name: str, operation: str) -> dict | list:
        given = request.headers.get("Authorization", "")
        # The documents show both forms.
        if not secrets.compare_digest(given.removeprefix("Bearer ").encode(), self.key.encode()):
            raise Refusal(401, {"error": "unauthorized"})
        endpoint = self.endpoints.get(name)
        wanted = {"run": "POST", "runsync": "POST", "status": "GET", "stream": "GET", "cancel": "POST", "retry": "POST",
                  "purge-queue": "POST", "health": "GET"}.get(operation)
        if endpoint is None or wanted is None:
            raise Refusal(404, {"error": "not found"})
        if request.method != wanted:
            raise Refusal(405, {"error": "method not allowed"})
        self._count(name, operation)
        endpoint.tick()
        if operation in ("run", "runsync"):
            return await self._submit(request, endpoint, operation)
        if operation == "health":
            return endpoint.health()
        if operation == "purge-queue":
            return {"removed": endpoint.purge(), "status": "completed"}
        job = endpoint.jobs.get(request.match_info.get("job", ""))
        if job is None:
            raise Refusal(404, {"error": "job not found"})
        if operation == "cancel":
            endpoint.cancel(job)
            return {"id": job.id, "status": job.status}
        if operation == "retry":
            if not endpoint.retry(job):
                raise Refusal(400, {"error": f"a job that is {job.status} cannot be retried"})
            return {"id": job.id, "status": job.status}
        if operation == "stream":
            parts, job.stream = job.stream, []
            return {"status": job.status, "stream": parts}
        return job.body()

    async def _submit(self, request: web.Request, endpoint: Endpoint, operation: str) -> dict:
        limit = BODY_LIMITS[operation]
        refusal = Refusal(400, f"exceeded max body size of {limit // MEBIBYTE}MiB")
        if (request.content_length or 0) > limit:
            raise refusal
        data = await request.read()
        if len(data) > limit:
            raise refusal
        try:
            body = json.loads(data)
        except ValueError:
            raise Refusal(400, {"error": "the body is not JSON"}) from None
        if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
            raise Refusal(400, {"error": "input must be an object"})
        policy = body.get("policy") or {}
        try:
            timeout, ttl = int(policy.get("executionTimeout", 600_000)), int(policy.get("ttl", 86_400_000))
            wait = int(request.query.get("wait", 90_000))
        except (TypeError, ValueError, AttributeError):
            raise Refusal(400, {"error": "policy and wait must be numbers of milliseconds"}) from None
        week = 7 * 86_400_000
        if not 5_000 <= timeout <= week or not 10_000 <= ttl <= week or not 1_000 <= wait <= 300_000:
            raise Refusal(400, {"error": "executionTimeout, ttl or wait is out of its range"})
        job = endpoint.submit(body["input"], timeout / 1000, ttl / 1000, is_sync=operation == "runsync")
        if operation == "runsync":
            await self._until_ended(job, wait / 1000)
            return job.body()
        return {"id": job.id, "status": job.status}

    async def _until_ended(self, job: Job, seconds: float) -> None:
        deadline = self.clock.now() + seconds
        while not job.ended.is_set() and self.clock.now() < deadline:
            try:
                # Often, because a test may advance the clock.
                await asyncio.wait_for(job.ended.wait(), 0.05)
            except asyncio.TimeoutError:
                pass

    def _count(self, name: str, operation: str) -> None:
        """Refuses what is over the rate of its operation."""
        rate, now = self.rates.get(operation), self.clock.now()
        if rate is None:
            return
        times = self._times.setdefault((name, operation), deque())
        while times and now - times[0] >= 10:
            times.popleft()
        if len(times) >= rate:
            raise Refusal(429, {"error": "too many requests"})
        times.append(now)

    # Faults

    async def _faulty(self, request: web.Request, response: web.Response, fault: Fault) -> web.StreamResponse:
        if fault.kind == "dropReply":
            return self._drop(request)
        if fault.kind == "merge":
            body = json.loads(response.body)
            if response.status == 200 and isinstance(body.get("output"), dict):
                body["output"] |= fault.output
            # NaN and Infinity are written as they are: some servers do.
            return web.Response(text=json.dumps(body), status=response.status, content_type="application/json")
        data = bytes(response.body)
        cut = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
        cut.content_length = len(data)
        await cut.prepare(request)
        await cut.write(data[: max(len(data) - fault.bytes, 0)])
        return self._drop(request, cut)

    @staticmethod
    def _drop(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
        if request.transport is not None:
            # Closed once what was written is sent.
            request.transport.close()
        return response or web.Response()

    @staticmethod
    async def _until_closed(request: web.Request) -> None:
        while request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.05)

    # Workers

    async def worker(self, request: web.Request) -> web.Response:
        endpoint = self.endpoints.get(request.match_info["endpoint"])
        worker = endpoint.workers.get(request.match_info["worker"]) if endpoint else None
        operation = request.match_info["operation"]
        if request.headers.get("Authorization") != self.worker_key:
            return reply("unauthorized", 401)
        if worker is None:
            return reply("no such worker", 404)
        if operation in ("job-take", "job-take-batch"):
            count = max(1, int(request.query.get("batch_size", 1)))
            jobs = [{"id": job.id, "input": job.input} for job in await endpoint.take(worker, count, POLL_SECONDS)]
            if not jobs:
                return web.Response(status=204)
            return reply(jobs if operation == "job-take-batch" else jobs[0])
        if operation == "job-stop":
            stops = await endpoint.take_stops(worker, POLL_SECONDS)
            return reply({"jobsToStop": stops}) if stops else web.Response(status=204)
        if operation == "ping":
            worker.pings += 1
            worker.pinged = set(filter(None, request.query.get("job_id", "").split(",")))
            return reply({})
        data, job = await request.read(), request.match_info.get("job", "")
        if operation == "job-stream":
            if job in endpoint.jobs:
                endpoint.jobs[job].stream.append(json.loads(data))
            return reply({})
        if operation != "job-done":
            return reply("not found", 404)
        if len(data) > RESULT_LIMIT:
            # Users report that the job then ends without its output.
            endpoint.finish(job, {})
            return reply("the result is too large", 400)
        endpoint.finish(job, json.loads(data))
        return reply({})

    # Tests

    async def control(self, request: web.Request) -> web.Response:
        operation = request.match_info["operation"]
        body = await request.json() if request.can_read_body else {}
        try:
            if operation == "faults":
                self.faults.replace(body)
            elif operation == "advance":
                self.clock.advance(float(body["seconds"]))
            elif operation == "kill":
                for worker in self.endpoints[body["endpoint"]].workers.values():
                    worker.kill()
            elif operation == "endpoint":
                self.endpoints[body["endpoint"]].settings.max_workers = int(body["maxWorkers"])
            elif operation != "state":
                return reply({"error": "not found"}, 404)
        except (KeyError, TypeError, ValueError) as error:
            return reply({"error": str(error)}, 400)
        for endpoint in self.endpoints.values():
            endpoint.tick()
        return reply({"requests": self.requests, "faultsLeft": self.faults.left, "endpoints": {
            name: endpoint.health() | {
                "startedWorkers": endpoint.started_workers, "pings": sum(w.pings for w in endpoint.workers.values()),
                "pinged": [job for worker in endpoint.workers.values() for job in worker.pinged],
                "workerProcesses": [worker.process.pid for worker in endpoint.workers.values()],
                "states": {job.id: job.status for job in endpoint.jobs.values()}}
            for name, endpoint in self.endpoints.items()}})


async def serve(port: int, configuration: dict, lifetime: float, folder: Path) -> None:
    """Listens until one of the ends that are named above."""
    gateway = Gateway(configuration)
    # Handlers of dropped connections are cancelled, so that a long poll of a killed worker takes no job.
    runner = web.AppRunner(gateway.application(), handler_cancellation=True, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bound = site._server.sockets[0].getsockname()[1]
    gateway.open(bound, folder)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, lambda: os.read(0, 4096) or (loop.remove_reader(0), end.set()))
    print(f"listening on {bound}", flush=True)
    deadline = loop.time() + lifetime
    while not end.is_set() and loop.time() < deadline:
        for endpoint in gateway.endpoints.values():
            endpoint.tick()
        try:
            await asyncio.wait_for(end.wait(), 0.05)
        except asyncio.TimeoutError:
            pass
    if not end.is_set():
        print(f"gateway: its {lifetime:.0f} seconds are over", file=sys.stderr)
    # First nobody asks any more, so that no worker is started.
    await runner.cleanup()
    for worker in [worker for endpoint in gateway.endpoints.values() for worker in endpoint.workers.values()]:
        worker.is_stopping = True
        worker.kill()
        await worker.ended()


def main() -> None:
    parser = argparse.ArgumentParser(description="Stands in for RunPod's queue on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--lifetime", type=float, default=600)
    parser.add_argument("--logs", type=Path, help="a folder to keep the logs of workers in")
    options = parser.parse_args()
    configuration = json.loads(options.config.read_text()) if options.config else DEFAULTS
    with tempfile.TemporaryDirectory(prefix="gateway-") as scratch:
        folder = options.logs or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(options.port, configuration, options.lifetime, folder))


if __name__ == "__main__":
    main()
