"""Images and texts to vectors in one space, by SigLIP 2 of a fixed resolution (its `model_type` is `siglip`).

Vectors of SigLIP and of SigLIP 2 have the same length and nothing else in common, so the reply names the model.
"""

from pathlib import Path

import numpy
import torch
from transformers import AutoConfig, AutoTokenizer

from common.errors import StartError
from common.images import Preprocessing
from common.models import loaded_model, revision_of
from common.vectors import normalized


class SiglipEncoder:
    """A model in memory. Each method is called from one thread at a time."""

    def __init__(self, folder: Path, name: str, device: torch.device, dtype: torch.dtype):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type != "siglip":
            raise StartError(f"{folder} holds a model of type {config.model_type}, and not of siglip, of a fixed resolution")
        self.name, self.device, self.dtype = name, device, dtype
        self.revision = revision_of(folder)
        self.model = loaded_model(folder, device, dtype)
        # The towers end in vectors of one length; that of the text's is a setting of its own.
        self.dimension: int = config.text_config.projection_size or config.text_config.hidden_size
        # 64 for all SigLIP 2.
        self.token_count: int = config.text_config.max_position_embeddings
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        # The text's vector is the state of the last position, and the model learned it with the padding behind the
        # text, in view: so it is padded on this side, and no mask is given.
        self.tokenizer.padding_side = "right"
        self.preprocessing = Preprocessing.of_folder(folder, "preprocessor_config.json")

    @torch.inference_mode()
    def encode_texts(self, texts: list[str], at_once: int = 256) -> list[numpy.ndarray]:
        """Vectors of texts; what is beyond 64 tokens does not count. SigLIP 2 was trained on lower case."""
        rows: list[numpy.ndarray] = []
        for start in range(0, len(texts), at_once):
            ids = self.tokenizer([text.lower() for text in texts[start : start + at_once]], padding="max_length",
                                 truncation=True, max_length=self.token_count, return_tensors="pt")["input_ids"]
            rows += list(self._vectors(self.model.get_text_features(input_ids=ids.to(self.device))))
        return rows

    @torch.inference_mode()
    def encode_images(self, pixels: list[numpy.ndarray], at_once: int = 32) -> list[numpy.ndarray]:
        """Vectors of images that `preprocessing` made the pixels of."""
        rows: list[numpy.ndarray] = []
        for start in range(0, len(pixels), at_once):
            batch = torch.from_numpy(numpy.stack(pixels[start : start + at_once])).to(self.device, self.dtype)
            rows += list(self._vectors(self.model.get_image_features(pixel_values=batch)))
        return rows

    @staticmethod
    def _vectors(features) -> numpy.ndarray:
        # A tensor in transformers 4, an object that holds one in 5.
        features = features if isinstance(features, torch.Tensor) else features.pooler_output
        return normalized(features).cpu().numpy()
