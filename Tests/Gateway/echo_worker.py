"""A worker without a model, on the unmodified SDK: it starts in two seconds, and answers in the form of ours.

Vectors are made of a digest of the text or image. What else a test needs of a worker is asked for by `type`:
`sleep` (seconds), `raise`, `exit`, `fail` (an error that is an object), `list` (a one-element list), `big` (bytes).

With WORKER_MODE=http it is served over HTTP, by what serves our workers so. It then ends when its standard input is a pipe that
is closed.
"""

import asyncio
import base64
import hashlib
import os
import signal
import stat
import struct
import sys
import threading
from pathlib import Path

DIMENSION = int(os.environ.get("ECHO_DIMENSION", "8"))
MODEL = os.environ.get("ECHO_MODEL", "echo")


def vector(content: str) -> str:
    """A vector of length 1 that equal contents share, as base64 of 32-bit floats, little-endian."""
    digest = hashlib.shake_128(content.encode()).digest(DIMENSION)
    values = [byte - 127.5 for byte in digest]
    length = sum(value * value for value in values) ** 0.5
    return base64.b64encode(struct.pack(f"<{DIMENSION}f", *(value / length for value in values))).decode()


async def handle(job: dict):
    """Answers one job."""
    fields = job["input"]
    match fields.get("type"):
        case "text" | "intent" | "visual_text":
            contents = fields["texts"]
        case "image":
            contents = fields["images"]
        case "video":
            contents = [str(video) for video in fields["videos"]]
        case "health":
            return {"model": MODEL, "dimension": DIMENSION, "device": "cpu", "loaded": True}
        case "sleep":
            await asyncio.sleep(float(fields["seconds"]))
            return {"slept": fields["seconds"]}
        case "raise":
            raise ValueError("the handler raised, as it was told to")
        case "exit":
            os._exit(3)
        case "fail":
            return {"error": {"code": "bad_request", "message": "it was told to fail"}}
        case "list":
            return [{"model": MODEL, "dimension": DIMENSION, "vectors": [vector(text) for text in fields["texts"]]}]
        case "big":
            return {"bytes": "x" * int(fields["count"])}
        case _:
            return {"error": {"code": "unsupported_type", "message": "this type is not known here"}}
    return {"model": MODEL, "dimension": DIMENSION, "vectors": [vector(content) for content in contents]}


def serve() -> None:
    """Serves it as `workers/common` serves a model."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workers"))
    from common import server
    from common.worker import Worker

    async def answer(fields: dict) -> dict:
        return await handle({"input": fields})

    def end_with_input() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=end_with_input, daemon=True).start()
    kinds = ("text", "intent", "visual_text", "image", "video", "sleep", "raise", "fail", "big")
    worker = Worker("echo", dict.fromkeys(kinds, answer), lambda: {"model": MODEL, "dimension": DIMENSION, "loaded": True})
    server.serve("echo", lambda: worker, server.Settings.of_environment())


if __name__ == "__main__":
    if os.environ.get("WORKER_MODE") == "http":
        serve()
    os.environ.setdefault("RUNPOD_LOG_LEVEL", "ERROR")
    import runpod  # Reads the level when it is imported.

    runpod.serverless.start({"handler": handle, "concurrency_modifier": lambda _current: 32})
