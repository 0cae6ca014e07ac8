"""Makes batches of what several jobs ask for, without making any job wait for a batch to fill."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from common.errors import RequestError


class Batcher:
    """Runs a model on the items of all jobs that are there when it becomes free.

    An item that finds the model free runs at once. While it runs others gather, and run together, at most
    `batch_size` of them. So a batch grows with the load, and a lone job waits for nobody. The model runs on one
    thread of its own, and the loop that talks to RunPod goes on.
    """

    def __init__(self, run: Callable[[list], list], batch_size: int, max_waiting: int):
        self._run = run
        self._batch_size = batch_size
        self._max_waiting = max_waiting
        self._waiting: list[tuple[Any, asyncio.Future]] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._worker: asyncio.Task | None = None
        # Sizes of the batches so far, the last 1,000 of them: a test looks at these.
        self.batch_sizes: list[int] = []

    async def submit(self, items: list) -> list:
        """The results of `items`, in their order. A job that is cancelled takes its waiting items with it."""
        if len(self._waiting) + len(items) > self._max_waiting:
            raise RequestError(
                "overloaded", f"{len(self._waiting)} items wait already; {self._max_waiting} are the limit: try again later")
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in items]
        self._waiting += zip(items, futures)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        try:
            return list(await asyncio.gather(*futures))
        finally:
            for future in futures:
                future.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
            batch = [(item, future) for item, future in batch if not future.done()]
            if not batch:
                continue
            self.batch_sizes = [*self.batch_sizes[-999:], len(batch)]
            try:
                results = await loop.run_in_executor(self._thread, self._attempt, [item for item, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results):
                if not future.done():
                    future.set_result(result)

    def _attempt(self, items: list) -> list:
        """Runs the model; where its memory is too small for all items, on each half of them."""
        try:
            results = self._run(items)
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            failed = True
        else:
            failed = False
        if failed:
            # Out of the handler, so that the error no longer holds what the model had made.
            _free_memory()
            if len(items) == 1:
                raise RequestError("out_of_memory", "one item alone does not fit the memory of this GPU")
            half = len(items) // 2
            return self._attempt(items[:half]) + self._attempt(items[half:])
        if len(results) != len(items):
            raise RequestError("internal", f"the model gave {len(results)} results for {len(items)} items")
        return results


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError))


def _free_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
