"""Makes a model folder of safetensors out of one that has pickles. Run it when an image is built, never in a worker.

    python -m common.convert_weights SOURCE FOLDER [--revision COMMIT]

SOURCE is a folder, or an id such as BAAI/bge-m3, which is fetched. `pytorch_model.bin`, in parts or not, becomes
`model.safetensors`, `sparse_linear.pt` becomes `sparse_linear.safetensors`, and so on; what is safetensors already
is copied. A pickle is read with `weights_only`, which knows tensors and no other classes. Each tensor is read back
and compared. `conversion.json` says what came from which file, by its SHA-256.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

COPIED = ("*.json", "*.txt", "*.model", "*.safetensors", "*/config.json")
PICKLES = ("*.bin", "*.pt")


def convert(source: Path, folder: Path) -> dict[str, str]:
    """Converts a folder; what it wrote, each with the SHA-256 of what it came from."""
    folder.mkdir(parents=True)
    origins: dict[str, str] = {}
    for path in sorted(path for pattern in COPIED for path in source.glob(pattern)):
        # The list of parts of a pickle that is one file from now on.
        if path.name == "pytorch_model.bin.index.json":
            continue
        target = folder / path.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
        origins[str(target.relative_to(folder))] = _sum(path)
    has_weights = (folder / "model.safetensors").exists() or (folder / "model.safetensors.index.json").exists()
    parts: dict[Path, list[Path]] = {}
    for path in sorted(path for pattern in PICKLES for path in source.glob(pattern)):
        is_model = path.name.startswith("pytorch_model")
        target = folder / ("model.safetensors" if is_model else path.stem + ".safetensors")
        if not target.exists() and not (is_model and has_weights):
            parts.setdefault(target, []).append(path)
    for target, paths in parts.items():
        # A copy of each, because tensors of a pickle may share their memory, and safetensors' do not.
        tensors = {
            name: tensor.clone().contiguous()
            for path in paths
            for name, tensor in torch.load(path, map_location="cpu", weights_only=True).items()
        }
        save_file(tensors, target, metadata={"format": "pt"})
        back = load_file(target)
        if back.keys() != tensors.keys() or not all(torch.equal(back[name], tensors[name]) for name in tensors):
            raise SystemExit(f"{target} does not hold what was written to it")
        origins[target.name] = " ".join(map(_sum, paths))
    return origins


def _sum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a model folder of safetensors out of one that has pickles.")
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--revision")
    options = parser.parse_args()
    if options.folder.exists():
        sys.exit(f"{options.folder} is there already")
    with tempfile.TemporaryDirectory() as scratch:
        source, revision = Path(options.source), None
        if not source.is_dir():
            import huggingface_hub

            source = Path(huggingface_hub.snapshot_download(
                options.source, revision=options.revision, cache_dir=scratch, allow_patterns=[*COPIED, *PICKLES]))
            # The folder of a version is named for its commit.
            revision = source.name
        origins = convert(source, options.folder)
    if "config.json" not in origins or not any(name.startswith("model") and name.endswith("safetensors") for name in origins):
        sys.exit(f"{options.source} has no config.json, or no weights")
    (options.folder / "conversion.json").write_text(
        json.dumps({"source": options.source, "revision": revision, "files": origins}, indent=1) + "\n")
    print(f"{options.folder}: {len(origins)} files of {options.source}, version {revision or 'of a folder'}")


if __name__ == "__main__":
    main()
