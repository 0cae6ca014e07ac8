"""One endpoint of the gateway: its queue, the states of its jobs, and the worker processes that do them.

Nothing here knows HTTP. `tick` lets time act: it is called often, and after the clock was advanced by a test.
"""

import asyncio
import os
import signal
import sys
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IN_QUEUE, IN_PROGRESS, COMPLETED = "IN_QUEUE", "IN_PROGRESS", "COMPLETED"
FAILED, CANCELLED, TIMED_OUT = "FAILED", "CANCELLED", "TIMED_OUT"

# As RunPod documents them: of a result of /run and of /runsync, seconds.
KEPT_ASYNC, KEPT_SYNC = 1800, 60


class Clock:
    """Seconds that pass by themselves, and that a test can add to."""

    def __init__(self):
        self._added = 0.0

    def now(self) -> float:
        return time.monotonic() + self._added

    def advance(self, seconds: float) -> None:
        self._added += seconds


@dataclass(eq=False)
class Job:
    """A job from its request until it is forgotten. Times are of the gateway's clock."""

    id: str
    input: dict
    created: float
    execution_timeout: float
    ttl: float
    kept: float
    status: str = IN_QUEUE
    started: float | None = None
    ended_at: float | None = None
    result: dict = field(default_factory=dict)
    worker: "WorkerProcess | None" = None
    retries: int = 0
    stream: list = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def body(self) -> dict:
        """What /status says."""
        body: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.started is not None:
            body["delayTime"] = round(1000 * (self.started - self.created))
            if self.worker:
                body["workerId"] = self.worker.id
            if self.ended_at is not None:
                body["executionTime"] = round(1000 * (self.ended_at - self.started))
        return body | self.result


@dataclass(eq=False)
class WorkerProcess:
    """A process with the SDK in it. It is initializing until it asks for a job."""

    id: str
    process: asyncio.subprocess.Process
    guard: asyncio.subprocess.Process
    idle_since: float
    has_asked: bool = False
    is_stopping: bool = False
    jobs: set[Job] = field(default_factory=set)
    to_stop: list[str] = field(default_factory=list)
    pings: int = 0
    # What it said in its last ping that it does.
    pinged: set[str] = field(default_factory=set)

    @property
    def status(self) -> str:
        return "initializing" if not self.has_asked else "running" if self.jobs else "idle"

    def kill(self) -> None:
        """Ends the process and its children, among them the one that pings."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    async def ended(self) -> None:
        """Waits until the process and its guard are no more."""
        await self.process.wait()
        self.guard.stdin.close()
        await self.guard.wait()


@dataclass
class EndpointSettings:
    """What a test chooses of an endpoint; the names in the configuration are those in `of`."""

    module: str
    environment: dict[str, str]
    max_workers: int
    idle_seconds: float
    # How long the oldest job waits before a further worker starts beside one that runs.
    queue_delay: float

    @staticmethod
    def of(values: dict) -> "EndpointSettings":
        known = {"module", "env", "maxWorkers", "idleSeconds", "queueDelay"}
        if unknown := set(values) - known:
            raise ValueError(f"{', '.join(sorted(unknown))}: no settings of an endpoint; {', '.join(sorted(known))} are")
        return EndpointSettings(
            values["module"], {str(key): str(value) for key, value in values.get("env", {}).items()},
            int(values.get("maxWorkers", 1)), float(values.get("idleSeconds", 5)), float(values.get("queueDelay", 4)))


class Endpoint:
    """A queue, and workers from none to `max_workers`."""

    def __init__(self, name: str, settings: EndpointSettings, clock: Clock, base_url: str, worker_key: str, folder: Path):
        self.name, self.settings, self.clock = name, settings, clock
        self.base_url, self.worker_key, self.folder = base_url, worker_key, folder
        self.jobs: dict[str, Job] = {}
        self.queue: deque[Job] = deque()
        self.workers: dict[str, WorkerProcess] = {}
        self.retried = self.started_workers = self.failed_starts = 0
        self.ended: dict[str, int] = {COMPLETED: 0, FAILED: 0}
        self._is_starting = False
        # Set and replaced whenever something changes that a long poll waits for.
        self._changed = asyncio.Event()

    # What clients ask for

    def submit(self, fields: dict, execution_timeout: float, ttl: float, is_sync: bool) -> Job:
        identifier = f"{'sync-' if is_sync else ''}{uuid.uuid4()}-u1"
        job = Job(identifier, fields, self.clock.now(), execution_timeout, ttl, KEPT_SYNC if is_sync else KEPT_ASYNC)
        self.jobs[identifier] = job
        self._enqueue(job)
        return job

    def cancel(self, job: Job) -> None:
        """Ends a job that has not ended. A worker that does it is told to stop."""
        if job.status in (IN_QUEUE, IN_PROGRESS):
            self._end(job, CANCELLED, {})

    def retry(self, job: Job) -> bool:
        """Lets a job that failed or timed out begin again, under its id."""
        if job.status not in (FAILED, TIMED_OUT):
            return False
        job.status, job.result, job.worker, job.started, job.ended_at = IN_QUEUE, {}, None, None, None
        job.created, job.ended = self.clock.now(), asyncio.Event()
        job.retries += 1
        self.retried += 1
        self._enqueue(job)
        return True

    def purge(self) -> int:
        """Forgets what is in the queue; what runs goes on."""
        count = len(self.queue)
        for job in self.queue:
            del self.jobs[job.id]
            job.ended.set()
        self.queue.clear()
        return count

    def health(self) -> dict:
        states = [job.status for job in self.jobs.values()]
        workers = [worker.status for worker in self.workers.values() if not worker.is_stopping]
        initializing = workers.count("initializing") + self._is_starting
        return {
            "jobs": {"completed": self.ended[COMPLETED], "failed": self.ended[FAILED], "retried": self.retried,
                     "inProgress": states.count(IN_PROGRESS), "inQueue": states.count(IN_QUEUE)},
            "workers": {"idle": workers.count("idle"), "running": workers.count("running"),
                        "ready": workers.count("idle"), "initializing": initializing, "throttled": 0,
                        "unhealthy": 1 if self.failed_starts >= 3 else 0},
        }

    # What workers ask for

    async def take(self, worker: WorkerProcess, count: int, seconds: float) -> list[Job]:
        """Up to `count` jobs for a worker, as soon as there is one; none after `seconds`."""
        if not worker.has_asked:
            worker.has_asked, worker.idle_since, self.failed_starts = True, self.clock.now(), 0
        await self._wait(lambda: worker.is_stopping or bool(self.queue), seconds)
        taken: list[Job] = []
        while self.queue and len(taken) < count and not worker.is_stopping:
            job = self.queue.popleft()
            job.status, job.started, job.worker = IN_PROGRESS, self.clock.now(), worker
            worker.jobs.add(job)
            taken.append(job)
        return taken

    async def take_stops(self, worker: WorkerProcess, seconds: float) -> list[str]:
        """The ids of jobs that a worker is to stop."""
        await self._wait(lambda: worker.is_stopping or bool(worker.to_stop), seconds)
        stops, worker.to_stop = worker.to_stop, []
        return stops

    def finish(self, identifier: str, body: dict) -> None:
        """Takes the result of a job; that of one which was cancelled, timed out or forgotten is nobody's any more."""
        job = self.jobs.get(identifier)
        if job is None or job.status != IN_PROGRESS:
            return
        if body.get("error"):
            self._end(job, FAILED, {"error": body["error"]} | ({"output": body["output"]} if "output" in body else {}))
        else:
            self._end(job, COMPLETED, {"output": body["output"]} if "output" in body else {})

    # Time

    def tick(self) -> None:
        """Ends what is over, and starts or stops workers."""
        now = self.clock.now()
        for job in list(self.jobs.values()):
            if now - job.created > job.ttl or (job.ended_at is not None and now - job.ended_at > job.kept):
                self.cancel(job)
                self.jobs.pop(job.id, None)
            elif job.status == IN_PROGRESS and now - job.started > job.execution_timeout:
                self._end(job, TIMED_OUT, {"error": "job timed out after its executionTimeout"})
        for worker in list(self.workers.values()):
            if worker.process.returncode is not None:
                self._bury(worker)
            elif worker.has_asked and not worker.jobs and not worker.is_stopping:
                if now - worker.idle_since > self.settings.idle_seconds or len(self.workers) > self.settings.max_workers:
                    asyncio.ensure_future(self.stop(worker))
        if self._needs_worker(now):
            self._is_starting = True
            asyncio.ensure_future(self._start())

    async def stop(self, worker: WorkerProcess) -> None:
        """Asks a worker to end, as the platform does; after 3 seconds it is killed."""
        worker.is_stopping = True
        self._notify()
        if worker.process.returncode is None:
            worker.process.terminate()
            try:
                await asyncio.wait_for(worker.process.wait(), 3)
            except asyncio.TimeoutError:
                pass
        worker.kill()
        await worker.ended()
        self._bury(worker)

    # Inside

    def _enqueue(self, job: Job) -> None:
        self.queue.append(job)
        self._notify()
        self.tick()

    def _end(self, job: Job, status: str, result: dict) -> None:
        if job in self.queue:
            self.queue.remove(job)
        if job.worker is not None:
            if status in (CANCELLED, TIMED_OUT):
                job.worker.to_stop.append(job.id)
            job.worker.jobs.discard(job)
            job.worker.idle_since = self.clock.now()
        job.status, job.result, job.ended_at = status, result, self.clock.now()
        self.ended[status] = self.ended.get(status, 0) + 1
        job.ended.set()
        self._notify()

    def _bury(self, worker: WorkerProcess) -> None:
        """Takes a process that ended off the list. What it was doing has failed."""
        if self.workers.pop(worker.id, None) is None:
            return
        worker.kill()
        worker.guard.stdin.close()
        if not worker.has_asked and not worker.is_stopping:
            self.failed_starts += 1
        for job in list(worker.jobs):
            self._end(job, FAILED, {"error": f"worker exited with status {worker.process.returncode} while it did the job"})

    def _needs_worker(self, now: float) -> bool:
        if not self.queue or self._is_starting or self.failed_starts >= 3:
            return False
        if len(self.workers) >= self.settings.max_workers:
            return False
        if not self.workers or all(worker.is_stopping for worker in self.workers.values()):
            return True
        has_new = any(not worker.has_asked for worker in self.workers.values())
        return not has_new and now - self.queue[0].created > self.settings.queue_delay

    async def _start(self) -> None:
        identifier = f"worker-{self.name}-{self.started_workers}"
        self.started_workers += 1
        url = f"{self.base_url}/worker/{self.name}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("RUNPOD_")}
        here = Path(__file__).resolve().parent
        environment = inherited | {
            "PYTHONPATH": f"{here}:{here.parent.parent / 'workers'}", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1",
            # No file with a person's credentials is read: the SDK would send the key in it.
            "HOME": str(self.folder), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
            "RUNPOD_POD_ID": identifier, "RUNPOD_ENDPOINT_ID": self.name, "RUNPOD_AI_API_KEY": self.worker_key,
            "RUNPOD_WEBHOOK_GET_JOB": f"{url}/job-take/$ID?gpu=none",
            "RUNPOD_WEBHOOK_POST_OUTPUT": f"{url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none",
            "RUNPOD_WEBHOOK_POST_STREAM": f"{url}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none",
            "RUNPOD_WEBHOOK_PING": f"{url}/ping/$RUNPOD_POD_ID", "RUNPOD_PING_INTERVAL": "1000",
            # They look for a GPU, 10 % of free disk and the network outside.
            "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true", "RUNPOD_SKIP_GPU_CHECK": "true",
        } | self.settings.environment
        try:
            with open(self.folder / f"{identifier}.log", "wb") as log:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", self.settings.module, env=environment, cwd=self.folder, stdin=asyncio.subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True)
            self.workers[identifier] = WorkerProcess(identifier, process, await guarded(process), self.clock.now())
        finally:
            self._is_starting = False

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait(self, is_there, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_there() and (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except asyncio.TimeoutError:
                return


# Reads until the gateway closes the pipe, or was killed, and then ends what is left of a worker: the process of the SDK that
# pings outlives the one that takes jobs.
GUARD = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null'


async def guarded(process: asyncio.subprocess.Process) -> asyncio.subprocess.Process:
    """A process that ends the group of another when its standard input is closed."""
    return await asyncio.create_subprocess_exec(
        "sh", "-c", GUARD, "guard", str(process.pid), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True)
