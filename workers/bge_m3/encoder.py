"""Texts to vectors by an encoder of the BERT family: BGE-M3, and what is shaped like it.

BGE-M3 (Chen et al., 2024) gives three things from one pass. The dense vector is the state of the first token, the
sparse weights are relu(linear(state)) of each token, the largest of equal tokens, and the vectors of the tokens are
linear(state) of all but the first. Folders without these two linear layers give the dense vector only, pooled as
their `modules.json` says.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer

from common.errors import RequestError, StartError
from common.models import loaded_model, revision_of
from common.vectors import normalized

# Of `model_type`: one token type, positions and a mask, and no code of their own.
FAMILIES = {"bert", "roberta", "xlm-roberta"}


@dataclass(frozen=True)
class TextItem:
    """One text, and what is wanted of it besides the dense vector."""

    text: str
    sparse: bool = False
    multi: bool = False


@dataclass(frozen=True)
class TextVectors:
    """What came of one text: shapes (dimension,) and (tokens - 1, dimension of tokens)."""

    dense: numpy.ndarray
    sparse: dict[str, float] | None
    multi: numpy.ndarray | None
    is_cut: bool


class TextEncoder:
    """A model in memory. `encode` is called from one thread at a time."""

    def __init__(self, folder: Path, name: str, device: torch.device, dtype: torch.dtype, tokens_at_once: int = 16_384):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type not in FAMILIES:
            raise StartError(f"{folder} holds a model of type {config.model_type}; {', '.join(sorted(FAMILIES))} can be used")
        self.name, self.device = name, device
        self.revision = revision_of(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.model = loaded_model(folder, device, dtype, add_pooling_layer=False)
        self.dimension: int = config.hidden_size
        self.pooling = _pooling_of(folder)
        self.max_tokens = _max_tokens_of(folder, config, self.tokenizer)
        self.tokens_at_once = max(tokens_at_once, self.max_tokens)
        self.sparse = _linear(folder / "sparse_linear.safetensors", self.dimension, device, dtype)
        self.multi = _linear(folder / "colbert_linear.safetensors", self.dimension, device, dtype)
        tokenizer = self.tokenizer
        # As the makers of BGE-M3 have it: these say nothing of a text.
        self.dropped = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id,
                        tokenizer.pad_token_id, tokenizer.unk_token_id} - {None}

    def check(self, sparse: bool, multi: bool) -> None:
        """Refuses what this model has no layer for."""
        for wanted, layer, what in ((sparse, self.sparse, "sparse"), (multi, self.multi, "multi")):
            if wanted and layer is None:
                raise RequestError("unsupported", f"input.{what} is true, and {self.name} has no layer for it")

    @torch.inference_mode()
    def encode(self, items: list[TextItem]) -> list[TextVectors]:
        """The vectors of texts, in their order. Texts of one length run together: padding is work for nothing."""
        ids = self.tokenizer([item.text for item in items], truncation=True, max_length=self.max_tokens,
                             add_special_tokens=True, return_attention_mask=False, return_token_type_ids=False,
                             return_overflowing_tokens=False, verbose=False)["input_ids"]
        results: list[TextVectors | None] = [None] * len(items)
        order = sorted(range(len(items)), key=lambda index: -len(ids[index]))
        while order:
            # The longest is first, so each of these is padded to it.
            count = max(1, self.tokens_at_once // len(ids[order[0]]))
            part, order = order[:count], order[count:]
            for index, result in zip(part, self._forward([items[i] for i in part], [ids[i] for i in part])):
                results[index] = result
        return results

    def _forward(self, items: list[TextItem], ids: list[list[int]]) -> list[TextVectors]:
        length = max(map(len, ids))
        pad = self.tokenizer.pad_token_id or 0
        tokens = torch.tensor([row + [pad] * (length - len(row)) for row in ids], device=self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in ids], device=self.device)
        states = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            weights = mask.unsqueeze(-1).float()
            pooled = (states.float() * weights).sum(1) / weights.sum(1)
        dense = normalized(pooled).cpu().numpy()
        weights = torch.relu(self.sparse(states)).squeeze(-1).float().cpu().numpy() \
            if any(item.sparse for item in items) else None
        vectors = normalized(self.multi(states[:, 1:])).cpu().numpy() if any(item.multi for item in items) else None
        return [
            TextVectors(
                dense=dense[row],
                sparse=self._largest(ids[row], weights[row]) if item.sparse else None,
                multi=vectors[row, : len(ids[row]) - 1] if item.multi else None,
                # As long as the limit: cut, or of just that length. The latter is told as cut too.
                is_cut=len(ids[row]) >= self.max_tokens)
            for row, item in enumerate(items)
        ]

    def _largest(self, ids: list[int], weights: numpy.ndarray) -> dict[str, float]:
        """The largest weight of each token. Keys are token ids as text, because keys of JSON are."""
        largest: dict[str, float] = {}
        for token, weight in zip(ids, weights.tolist()):
            if token not in self.dropped and weight > largest.get(str(token), 0):
                largest[str(token)] = weight
        return largest


def _json(path: Path) -> dict | list | None:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StartError(f"{path} cannot be read: {type(error).__name__}") from None


def _pooling_of(folder: Path) -> str:
    """How states become one vector: the first, as BGE-M3 has it, or their mean where `modules.json` says so."""
    modules = _json(folder / "modules.json")
    if modules is None:
        return "cls"
    path = next((module["path"] for module in modules if module.get("type", "").endswith("Pooling")), None)
    pooling = _json(folder / path / "config.json") if path else None
    if pooling is None:
        return "cls"
    chosen = {key for key, value in pooling.items() if key.startswith("pooling_mode") and value is True}
    if chosen == {"pooling_mode_cls_token"} or pooling.get("pooling_mode") == "cls":
        return "cls"
    if chosen == {"pooling_mode_mean_tokens"} or pooling.get("pooling_mode") == "mean":
        return "mean"
    raise StartError(f"{folder / path}: a pooling that is neither that of the first token nor the mean")


def _max_tokens_of(folder: Path, config, tokenizer) -> int:
    """How many tokens a text may have, its special ones included; a longer one is cut, and the reply says so."""
    # Positions of the RoBERTa family begin behind the id of the padding.
    positions = config.max_position_embeddings - (0 if config.model_type == "bert" else config.pad_token_id + 1)
    stated = (_json(folder / "sentence_bert_config.json") or {}).get("max_seq_length") or positions
    return min(positions, stated, tokenizer.model_max_length)


def _linear(path: Path, dimension: int, device: torch.device, dtype: torch.dtype) -> torch.nn.Linear | None:
    """A linear layer from its file; None where there is no such file."""
    if not path.is_file():
        return None
    tensors = load_file(path)
    if set(tensors) != {"weight", "bias"} or tensors["weight"].ndim != 2 or tensors["weight"].shape[1] != dimension:
        raise StartError(f"{path} is no linear layer over {dimension} elements")
    layer = torch.nn.Linear(dimension, tensors["weight"].shape[0])
    layer.load_state_dict(tensors)
    return layer.to(device=device, dtype=dtype).eval()
