"""Where models are found, and that no pickle is opened on the way."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from common import models as finding
from common.errors import StartError
from conftest import WORKERS


class Trap:
    """What a pickle of it does when it is opened."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def start(module: str = "bge_m3.handler", **environment) -> subprocess.CompletedProcess:
    """Starts a worker that is not to come up."""
    return subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(WORKERS), **{key: str(value) for key, value in environment.items()}})


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl"])
def test_a_folder_with_a_pickle_alone_is_refused_and_the_pickle_not_opened(tmp_path, name):
    folder, mark = tmp_path / "model", tmp_path / "mark"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (folder / name).write_bytes(pickle.dumps(Trap(mark)))
    ended = start(WORKER_MODEL=folder)
    assert ended.returncode == 1 and name in ended.stderr and "convert_weights" in ended.stderr
    assert "Traceback" not in ended.stderr and not mark.exists()


def test_no_library_can_open_a_pickle_in_a_worker(tmp_path):
    """Index files can name other files: one that names a pickle is followed, and stopped."""
    mark, trap = tmp_path / "mark", tmp_path / "trap.bin"
    trap.write_bytes(pickle.dumps(Trap(mark)))
    code = f"from common.models import forbid_pickle; forbid_pickle(); import torch; torch.load({str(trap)!r}, weights_only=False)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(WORKERS)})
    assert "StartError" in ended.stderr and not mark.exists()


def test_a_model_that_lacks_a_weight_is_refused(models, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in models["bge_m3"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.0.attention.self.query.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    ended = start(WORKER_MODEL=folder)
    assert ended.returncode == 1 and "lacks 1 weights" in ended.stderr


@pytest.mark.parametrize("cut", [0, 7, 100, -1])
def test_a_damaged_file_is_refused(models, tmp_path, cut):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in models["bge_m3"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:cut])
    with pytest.raises(StartError, match="cannot be loaded"):
        finding.loaded_model(folder, torch.device("cpu"), torch.float32, add_pooling_layer=False)


def test_a_model_of_another_kind_is_refused(models):
    for module, wrong in (("bge_m3.handler", "siglip2"), ("siglip2.handler", "bge_m3"), ("vjepa2.handler", "siglip2")):
        ended = start(module, WORKER_MODEL=models[wrong])
        assert ended.returncode == 1 and "holds a model of type" in ended.stderr


@pytest.mark.parametrize(("variable", "value"), [
    ("WORKER_CONCURRENCY", "8"), ("WORKER_MAX_TEXTS", "0"), ("WORKER_MAX_TEXTS", "many"), ("WORKER_DTYPE", "int8"),
    ("WORKER_MODE", "grpc")])
def test_a_setting_that_is_not_right_is_named(models, variable, value):
    ended = start(WORKER_MODEL=models["bge_m3"], **{variable: value})
    assert ended.returncode == 1 and variable in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("mode", ["queue", "http"])
def test_a_model_that_is_nowhere_says_what_to_do(tmp_path, mode):
    ended = start(WORKER_MODEL="nobody/has-this", HF_HOME=tmp_path, WORKER_MODE=mode, PORT=0, WORKER_HOST="127.0.0.1")
    assert ended.returncode == 1 and "WORKER_MODEL=nobody/has-this is in no cache" in ended.stderr


def test_an_id_is_looked_up_in_the_image_then_on_the_volume(models, tmp_path, monkeypatch):
    volume, image = tmp_path / "volume", tmp_path / "models"
    root = volume / "huggingface-cache" / "hub" / "models--org--name"
    (root / "refs").mkdir(parents=True)
    for revision in ("aaa", "bbb"):
        (root / "snapshots" / revision).mkdir(parents=True)
        for name in ("config.json", "model.safetensors"):
            (root / "snapshots" / revision / name).write_bytes((models["bge_m3"] / name).read_bytes())
    (root / "refs" / "main").write_text("bbb")
    monkeypatch.setattr(finding, "VOLUME", volume)
    monkeypatch.setenv("WORKER_MODELS", str(image))
    monkeypatch.setenv("WORKER_MODEL", "org/name")
    assert finding.model_folder("WORKER_MODEL", "x/y") == (root / "snapshots" / "bbb", "org/name")
    monkeypatch.setenv("WORKER_MODEL_REVISION", "aaa")
    assert finding.model_folder("WORKER_MODEL", "x/y")[0].name == "aaa"
    # A version that is asked for is not replaced by another.
    monkeypatch.setenv("WORKER_MODEL_REVISION", "ccc")
    with pytest.raises(StartError, match="in no cache"):
        finding.model_folder("WORKER_MODEL", "x/y")
    # Where none is asked for, one that is there as a pickle only gives way to one that is not.
    monkeypatch.delenv("WORKER_MODEL_REVISION")
    (root / "snapshots" / "bbb" / "model.safetensors").rename(root / "snapshots" / "bbb" / "pytorch_model.bin")
    assert finding.model_folder("WORKER_MODEL", "x/y")[0].name == "aaa"
    (image / "org--name").mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (image / "org--name" / name).write_bytes((models["bge_m3"] / name).read_bytes())
    assert finding.model_folder("WORKER_MODEL", "x/y") == (image / "org--name", "org/name")
    (image / "org--name" / "conversion.json").write_text('{"revision": "ddd"}')
    for revision, expected in (("ddd", image / "org--name"), ("aaa", root / "snapshots" / "aaa")):
        monkeypatch.setenv("WORKER_MODEL_REVISION", revision)
        assert finding.model_folder("WORKER_MODEL", "x/y")[0] == expected
        assert finding.revision_of(expected) == revision


def test_pickles_are_converted_and_what_was_in_them_is_there(models, tmp_path):
    from common.convert_weights import convert

    source = tmp_path / "source"
    source.mkdir()
    expected = {}
    for path in models["bge_m3"].iterdir():
        if path.suffix == ".safetensors":
            expected[path.name] = load_file(path)
        else:
            (source / path.name).write_bytes(path.read_bytes())
    names = list(expected["model.safetensors"])
    for part, chosen in (("00001", names[::2]), ("00002", names[1::2])):
        torch.save({name: expected["model.safetensors"][name] for name in chosen}, source / f"pytorch_model-{part}-of-00002.bin")
    for name in ("sparse_linear", "colbert_linear"):
        torch.save(expected[f"{name}.safetensors"], source / f"{name}.pt")
    convert(source, tmp_path / "converted")
    for name, tensors in expected.items():
        back = load_file(tmp_path / "converted" / name)
        assert back.keys() == tensors.keys() and all(torch.equal(back[key], tensors[key]) for key in tensors)
    assert not list((tmp_path / "converted").glob("*.bin")) and (tmp_path / "converted" / "tokenizer.json").is_file()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_with_more_than_tensors_is_not_converted(tmp_path):
    from common.convert_weights import convert

    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    with pytest.raises(pickle.UnpicklingError):
        convert(tmp_path / "source", tmp_path / "converted")
    assert not (tmp_path / "mark").exists()
