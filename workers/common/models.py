"""Finds the folder of a model, and sees to it that no pickle in it is ever opened.

A pickle is a program. So weights are read from safetensors only, `torch.load` is closed for the life of the process,
and code that lies beside weights is not run. Weights that exist as a pickle only are converted when an image is built:
see `convert_weights.py`.
"""

import json
import os
from pathlib import Path

from common.errors import StartError

VOLUME = Path("/runpod-volume")

# What of a model is fetched where it lies nowhere yet.
_WANTED = ["*.json", "*.txt", "*.model", "*.safetensors"]


def model_folder(variable: str, default: str) -> tuple[Path, str]:
    """The folder of the model that an environment variable names, and the name that replies give it: the id, the name
    of the folder, or what the same variable with `_NAME` behind it says.

    The variable holds a folder, or an id such as `BAAI/bge-m3`. An id is looked up where `convert_weights.py` puts
    models in an image (`WORKER_MODELS`, by default `/models`), in RunPod's cache on the volume, and in the cache of
    this machine; last it is fetched, onto the volume where there is one, unless `HF_HUB_OFFLINE` is set.
    """
    given = os.environ.get(variable, "").strip() or default
    name = os.environ.get(variable + "_NAME", "").strip()
    if os.path.isabs(given) or given.startswith("."):
        return _checked(Path(given), variable), name or Path(given).resolve().name
    # A version that is asked for is the only one: vectors of two versions are not to be mixed.
    revision = os.environ.get(variable + "_REVISION", "").strip()
    baked = Path(os.environ.get("WORKER_MODELS", "/models")) / given.replace("/", "--")
    folders = [baked] if baked.is_dir() and revision in ("", revision_of(baked)) else []
    folders += [folder for cache in _caches() for folder in _snapshots(cache, given, revision)]
    folder = next(filter(_has_safetensors, folders), None) or next(iter(folders), None) or _fetched(given, revision, variable)
    return _checked(folder, variable), name or given


def revision_of(folder: Path) -> str | None:
    """Which version of its model a folder holds; None where it does not say."""
    if folder.parent.name == "snapshots":
        return folder.name
    try:
        return json.loads((folder / "conversion.json").read_text())["revision"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forbid_pickle() -> None:
    """Closes `torch.load` in this process: whoever calls it, a library too, gets an error and runs nothing."""
    import torch

    def refuse(*_arguments, **_options):
        raise StartError("a pickle was to be opened, and is not: convert the weights by common.convert_weights")

    torch.load = refuse


def loaded_model(folder: Path, device: "torch.device", dtype: "torch.dtype", **options) -> "torch.nn.Module":
    """The model in a folder, ready to run. One that lacks a weight is refused: transformers would make it up."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    try:
        model, report = transformers.AutoModel.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, dtype=dtype,
            output_loading_info=True, **options)
    except Exception as error:
        raise StartError(f"the model in {folder} cannot be loaded: {type(error).__name__} {error}") from error
    if report["missing_keys"] or report["mismatched_keys"]:
        names = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
        raise StartError(f"the model in {folder} lacks {len(names)} weights, {names[0]} among them: it is another one, or damaged")
    return model.to(device).eval()


def volume_cache() -> Path | None:
    """Where models lie that RunPod caches, or that we fetched, if this worker has a volume."""
    return VOLUME / "huggingface-cache" / "hub" if VOLUME.is_dir() else None


def _caches() -> list[Path]:
    from huggingface_hub.constants import HF_HUB_CACHE

    volume = volume_cache()
    return [cache for cache in (volume, Path(HF_HUB_CACHE)) if cache is not None]


def _snapshots(cache: Path, model: str, revision: str) -> list[Path]:
    """The versions of a model in a cache: the one that is asked for, else all, that of `main` first."""
    root = cache / ("models--" + model.replace("/", "--"))
    folders = sorted(path for path in root.glob("snapshots/*") if path.is_dir())
    reference = root / "refs" / (revision or "main")
    wanted = reference.read_text().strip() if reference.is_file() else revision
    if revision:
        return [path for path in folders if path.name == wanted]
    return sorted(folders, key=lambda path: path.name != wanted)


def _fetched(model: str, revision: str, variable: str) -> Path:
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(
            model, revision=revision or None, cache_dir=volume_cache(), allow_patterns=_WANTED))
    except Exception as error:
        raise StartError(
            f"{variable}={model} is in no cache, and could not be fetched ({type(error).__name__}): name a folder, put it "
            "on the volume, or set HF_TOKEN where it is not public") from error


def _checked(folder: Path, variable: str) -> Path:
    if not (folder / "config.json").is_file():
        raise StartError(f"{variable}: there is no config.json in {folder}")
    if not _has_safetensors(folder):
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"})
        found = f" (there is {', '.join(pickles)}, a pickle, which is not opened)" if pickles else ""
        raise StartError(
            f"{variable}: there is no model.safetensors in {folder}{found}; python -m common.convert_weights makes one")
    return folder


def _has_safetensors(folder: Path) -> bool:
    return (folder / "model.safetensors").is_file() or (folder / "model.safetensors.index.json").is_file()


def device_and_type() -> tuple["torch.device", "torch.dtype"]:
    """Where the model runs, and in what it computes: 16-bit floats on a GPU, 32-bit ones elsewhere."""
    import torch

    name = os.environ.get("WORKER_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    types = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    wanted = os.environ.get("WORKER_DTYPE") or ("float16" if name.startswith("cuda") else "float32")
    if wanted not in types:
        raise StartError(f"WORKER_DTYPE must be one of {', '.join(types)}")
    return torch.device(name), types[wanted]
