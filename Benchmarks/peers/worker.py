"""The process that takes one library through its steps, on one core and one thread.

    python worker.py build NAME FOLDER --base base.npy [--payload FILE --groups FILE]
    python worker.py append NAME FOLDER --base base.npy --batch N [--seconds S]
    python worker.py search NAME FOLDER --queries q.npy --out FILE [--rounds N] [--filter u:10|g:3,17] [--only-open]

`build` and `append` print one line of JSON; `search` writes FILE in the form of `bench search` (VPB1).
"""

import argparse
import gc
import importlib
import json
import os
import sys
import time

from libraries import K, LIBRARIES

# Not LANCE_IO_THREADS: with one, building an index waits for ever. All threads share the one core anyway.
ONE_THREAD = {name: "1" for name in (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS",
    "LANCE_CPU_THREADS")}


def parse_filter(text):
    """u:10 lets through the rows whose payload is below 10, g:3,17 those whose group is one of these."""
    field = {"u": "payload", "g": "groups"}[text[0]]
    return field, [int(number) for number in text[2:].split(",")]


def normalized(path):
    import numpy

    rows = numpy.load(path).astype(numpy.float32)
    return numpy.ascontiguousarray(rows / numpy.linalg.norm(rows, axis=1, keepdims=True))


def build(library, options):
    import numpy

    rows = normalized(options.base)
    files = {"payload": options.payload, "groups": options.groups}
    numbers = {field: numpy.load(path) for field, path in files.items() if path}
    start = time.perf_counter()
    library.build(rows, numbers)
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


def append(library, options):
    """Batches of rows, each durable and searchable before the next, for some seconds at most."""
    rows = normalized(options.base)
    library.create(rows.shape[1])
    times, began = [], time.perf_counter()
    for start in range(0, len(rows) - options.batch + 1, options.batch):
        part = rows[start:start + options.batch]
        before = time.perf_counter()
        library.append(start, part)
        times.append(time.perf_counter() - before)
        if time.perf_counter() - began > options.seconds:
            break
    print(json.dumps({"rate": options.batch * len(times) / sum(times), "commits": len(times)}), flush=True)


def search(library, options):
    import numpy

    vectors = normalized(options.queries)[:library.most_queries]
    condition = parse_filter(options.filter) if options.filter else None
    queries = library.prepare(vectors)
    now = time.perf_counter_ns
    start = now()
    library.open(vectors.shape[1])
    opened = now()
    library.use(*library.passes()[0])
    library.ask(queries[0], condition)
    first = now()
    passes = [] if options.only_open else library.passes()
    with open(options.out, "wb") as file:
        file.write(b"VPB1" + numpy.array([len(queries), K, len(passes)], "<u4").tobytes())
        file.write(numpy.array([(opened - start) / 1e6, (first - opened) / 1e6], "<f8").tobytes())
        gc.disable()
        for setting in passes:
            library.use(*setting)
            times = numpy.empty((options.rounds, len(queries)), "<u8")
            ids = numpy.full((len(queries), K), 0xFFFFFFFF, "<u4")
            for turn in range(options.rounds):
                for place, query in enumerate(queries):
                    start = now()
                    answer = library.ask(query, condition)
                    times[turn, place] = now() - start
                    if turn == 0:
                        found = library.ids(answer)
                        ids[place, :len(found)] = found
            gc.collect()
            file.write(numpy.array(setting[:1], "<f8").tobytes())
            file.write(numpy.median(times, axis=0).astype("<u8").tobytes() + ids.tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["build", "append", "search"])
    parser.add_argument("name", choices=LIBRARIES)
    parser.add_argument("folder")
    for option in ("--base", "--payload", "--groups", "--queries", "--out", "--filter"):
        parser.add_argument(option)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-open", action="store_true")
    options = parser.parse_args()
    library = LIBRARIES[options.name](options.folder)
    for module in library.modules:
        importlib.import_module(module)
    {"build": build, "append": append, "search": search}[options.step](library, options)
    sys.stdout.flush()
    # A library's threads may still be about; nothing of theirs is wanted, and their farewell may take long or fail.
    os._exit(0)


if __name__ == "__main__":
    main()
