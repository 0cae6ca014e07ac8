"""Runs a model as a worker: what a job goes through, what is logged, how many jobs of RunPod's queue run at once."""

import os
import sys
import traceback
from collections.abc import Awaitable, Callable

from common.errors import RequestError, StartError
from common.limits import Limits, whole_number
from common.requests import check_encoding, input_of, type_of

Answer = Callable[[dict], Awaitable[dict]]


class Worker:
    """Answers each type of job by a function of its own, and `health` itself.

    `answers` has a coroutine for each type: it takes the input of the job and gives what is returned. `health` says
    what model answers which type, and on which device.
    """

    def __init__(self, name: str, answers: dict[str, Answer], health: Callable[[], dict]):
        self.name = name
        self.answers = answers
        self.health = health

    async def handle(self, job: dict) -> dict:
        """The handler that the SDK calls, or the server. It never raises: the SDK would log and send the values in the traceback."""
        try:
            fields = input_of(job)
            kind = type_of(fields, (*self.answers, "health"))
            if kind == "health":
                return self.health()
            check_encoding(fields)
            return await self.answers[kind](fields)
        except RequestError as error:
            return error.reply()
        except Exception as error:
            log(self.name, f"a job failed: {place_of(error)}")
            return RequestError("internal", f"the worker failed ({type(error).__name__}); its log says where").reply()


def place_of(error: BaseException) -> str:
    """The type of an error and the lines it went through, without its message: that may hold a value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


def log(name: str, message: str) -> None:
    """One line to standard error, from where RunPod takes its logs."""
    print(f"{name}: {message}", file=sys.stderr, flush=True)


def prepare() -> None:
    """Sets what libraries read when they are imported: call it before the first of them is.

    The SDK logs at DEBUG unless told otherwise, and then every output of a handler. Its settings can make it say less,
    not more.
    """
    if os.environ.get("RUNPOD_LOG_LEVEL", "").upper() not in {"ERROR", "NOTSET"}:
        os.environ["RUNPOD_LOG_LEVEL"] = "ERROR"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")


def run(name: str, load: Callable[[Limits], Worker]) -> None:
    """Loads the models and takes jobs until the process is told to stop: of RunPod's queue, or with WORKER_MODE=http as
    requests of its own. Ends with status 1 where it cannot start.
    """
    prepare()
    try:
        limits = Limits.of_environment()
        mode = os.environ.get("WORKER_MODE", "").strip() or "queue"
        if mode == "http":
            from common.server import Settings, serve

            serve(name, lambda: _loaded(load, limits), Settings.of_environment())
        elif mode != "queue":
            raise StartError("WORKER_MODE must be queue or http")
        # With fewer than 4 at once the SDK's loop sleeps a second after each job (rp_scale.py, get_jobs).
        concurrency = whole_number("WORKER_CONCURRENCY", 32)
        if concurrency < 32:
            raise StartError("WORKER_CONCURRENCY must be 32 or more: with less the SDK's loop sleeps between jobs")
        # The models come first, so that a worker that takes a job can do it, and a snapshot of RunPod's FlashBoot holds them.
        worker = _loaded(load, limits)
    except StartError as error:
        log(name, str(error))
        sys.exit(1)
    import runpod

    log(name, f"is ready with {worker.health()}")
    runpod.serverless.start({"handler": worker.handle, "concurrency_modifier": lambda _current: concurrency})


def _loaded(load: Callable[[Limits], Worker], limits: Limits) -> Worker:
    from common.models import forbid_pickle

    forbid_pickle()
    return load(limits)
