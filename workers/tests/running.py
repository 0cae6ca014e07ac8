"""Runs the gateway of Tests/Gateway, or a worker over HTTP, as a process, and asks it as a client of RunPod would."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORKERS = Path(__file__).resolve().parents[1]
GATEWAY = WORKERS.parent / "Tests" / "Gateway" / "gateway.py"


def ask(port: int, method: str, path: str, body=None, key: str = "", timeout: float = 120):
    """The status, the body (parsed where it is JSON) and the headers of a reply."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, data=data, headers={
        "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            status, content, headers = reply.status, reply.read(), reply.headers
    except urllib.error.HTTPError as error:
        status, content, headers = error.code, error.read(), error.headers
    try:
        return status, json.loads(content), headers
    except ValueError:
        return status, content.decode(), headers


def until(is_so, what: str):
    """The first answer of `is_so` that is true; asks until there is one, for a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if answer := is_so():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"a minute passed, and not: {what}")


class RunningWorker:
    """A worker that is served over HTTP, as a process that ends with its context."""

    def __init__(self, module: str, **environment):
        self.module = module
        self.environment = {
            **os.environ, "PYTHONPATH": f"{WORKERS}:{GATEWAY.parent}", "WORKER_MODE": "http", "PORT": "0",
            "WORKER_HOST": "127.0.0.1", "OMP_NUM_THREADS": "1", **{key: str(value) for key, value in environment.items()}}

    def __enter__(self) -> "RunningWorker":
        # A file, because a pipe that nobody reads is full some day.
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module], env=self.environment, stdin=subprocess.DEVNULL, stderr=self._log)

        def port() -> int | None:
            assert self.process.poll() is None, self.logged()
            return next((int(line.split()[-1]) for line in self.logged().splitlines() if ": listening on " in line), None)

        self.port = until(port, "it listens")
        return self

    def __exit__(self, *_error) -> None:
        self.process.kill()
        self.process.wait(30)
        self._log.close()

    def is_ready(self) -> bool:
        """Whether the models are loaded."""
        status = ask(self.port, "GET", "/ping")[0]
        assert status in (200, 204) and self.process.poll() is None, self.logged()
        return status == 200

    def embed(self, **fields):
        """The status and the body of an answer, once the models are loaded."""
        until(self.is_ready, "it is ready")
        return ask(self.port, "POST", "/embed", fields)[:2]

    def logged(self) -> str:
        """All that it wrote."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")


class RunningGateway:
    """A gateway that ends with its context, and takes its workers with it."""

    def __init__(self, endpoints: dict, **settings):
        self.configuration = {"endpoints": endpoints, "key": "a-key-for-tests"} | settings
        self.key = self.configuration["key"]

    def __enter__(self) -> "RunningGateway":
        self._scratch = tempfile.TemporaryDirectory()
        self.logs = Path(self._scratch.name) / "logs"
        config = Path(self._scratch.name) / "config.json"
        config.write_text(json.dumps(self.configuration))
        self.process = subprocess.Popen(
            [sys.executable, GATEWAY, "--config", config, "--logs", self.logs, "--lifetime", "900"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.port = int(line.split()[-1])
        return self

    def __exit__(self, *_error) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self._scratch.cleanup()

    def ask(self, method: str, path: str, body=None, key: str | None = None, timeout: float = 120):
        """As `ask` above, with the key."""
        return ask(self.port, method, path, body, self.key if key is None else key, timeout)

    def job(self, endpoint: str, **fields) -> dict:
        """What /runsync says of a job, once it ended."""
        status, body, _ = self.ask("POST", f"/v2/{endpoint}/runsync", {"input": fields})
        assert status == 200, body
        return body

    def output(self, endpoint: str, **fields) -> dict:
        """The output of a job that completes."""
        body = self.job(endpoint, **fields)
        assert body["status"] == "COMPLETED", body
        return body["output"]

    def error(self, endpoint: str, **fields) -> dict:
        """The error of a job that fails."""
        body = self.job(endpoint, **fields)
        assert body["status"] == "FAILED", body
        return body["error"]

    def at_once(self, endpoint: str, inputs: list[dict]) -> list[dict]:
        """The outputs of jobs that are sent together."""
        with ThreadPoolExecutor(len(inputs)) as threads:
            return list(threads.map(lambda fields: self.output(endpoint, **fields), inputs))

    def control(self, operation: str, body=None) -> dict:
        """What a test asks of the gateway, and RunPod has not."""
        status, reply, _ = self.ask("GET" if body is None else "POST", f"/gateway/{operation}", body)
        assert status == 200, reply
        return reply

    until = staticmethod(until)

    def logged(self) -> str:
        """All that workers wrote."""
        return "\n".join(path.read_text(errors="replace") for path in self.logs.rglob("*.log"))
