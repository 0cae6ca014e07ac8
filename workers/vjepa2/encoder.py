"""Videos to vectors by the encoder of V-JEPA 2, whose tokens are pooled by a rule that nothing was trained for.

The model gives a token for each 2 frames × 16 × 16 pixels, and no vector of the whole. The attentive pooler of its
makers has weights only in classifiers that were tuned for one set of labels; with random weights it would be noise.
So the tokens x₁ … xₙ are pooled by one step of attention without parameters:

    q  = (x₁ + … + xₙ) / n
    aᵢ = exp(cos(xᵢ, q)) / Σⱼ exp(cos(xⱼ, q))
    v  = Σᵢ aᵢ xᵢ / ‖Σᵢ aᵢ xᵢ‖

The query is what the clip is about on the whole, and a token counts the more the better it agrees. Why cosine, and no
temperature: its weights do not depend on how large states are, which differs among models and floats, and no token
counts more than e² = 7.4 times as much as another, so that a few large ones cannot take over, as they do with an inner
product. Where all tokens agree it is the mean. How well it finds things was not measured: no weights were at hand.
"""

from pathlib import Path

import numpy
import torch
from transformers import AutoConfig

from common.errors import StartError
from common.images import Preprocessing
from common.models import loaded_model, revision_of
from common.vectors import normalized


def pooled(tokens: torch.Tensor) -> torch.Tensor:
    """One vector of length 1 for the tokens of each video: (videos, tokens, elements) to (videos, elements)."""
    tokens = tokens.float()
    query = tokens.mean(dim=1, keepdim=True)
    weights = torch.softmax(torch.nn.functional.cosine_similarity(tokens, query, dim=-1), dim=1)
    return normalized((weights.unsqueeze(-1) * tokens).sum(dim=1))


class VideoEncoder:
    """A model in memory. `encode` is called from one thread at a time."""

    def __init__(self, folder: Path, name: str, device: torch.device, dtype: torch.dtype):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type != "vjepa2":
            raise StartError(f"{folder} holds a model of type {config.model_type}, and not of vjepa2")
        self.name, self.device, self.dtype = name, device, dtype
        self.revision = revision_of(folder)
        self.model = loaded_model(folder, device, dtype)
        self.dimension: int = config.hidden_size
        self.preprocessing = Preprocessing.of_folder(folder, "video_preprocessor_config.json")

    @torch.inference_mode()
    def encode(self, clips: list[numpy.ndarray], at_once: int = 4) -> list[numpy.ndarray]:
        """Vectors of clips of shape (frames, 3, height, width)."""
        rows: list[numpy.ndarray] = []
        for start in range(0, len(clips), at_once):
            batch = torch.from_numpy(numpy.stack(clips[start : start + at_once])).to(self.device, self.dtype)
            # Only the encoder: the predictor tells of masked parts.
            rows += list(pooled(self.model.get_vision_features(batch)).cpu().numpy())
        return rows
