"""Vectors on the wire: base64 of 32-bit floats, little-endian, as long as the reply's `dimension` says."""

import base64

import numpy

from common.errors import RequestError
from common.limits import Limits


def encoded(vector: numpy.ndarray) -> str:
    """A vector, or the rows of a matrix one behind another."""
    if not numpy.isfinite(vector).all():
        raise RequestError("not_finite", "the model gave a vector that is not finite; nothing was returned")
    return base64.b64encode(numpy.ascontiguousarray(vector, dtype="<f4").tobytes()).decode("ascii")


def reply_of(model: str, dimension: int, vectors: list[numpy.ndarray], limits: Limits) -> dict:
    """What a job of any type returns. Each vector has `dimension` elements and the length 1."""
    byte_count = 4 * dimension * len(vectors)
    if byte_count > limits.max_reply_bytes:
        raise RequestError(
            "reply_too_large",
            f"the vectors have {byte_count} bytes; {limits.max_reply_bytes} are the limit: send several jobs")
    for vector in vectors:
        if vector.shape != (dimension,):
            raise RequestError("internal", f"the model gave a vector of shape {vector.shape}, not of {dimension} elements")
    return {"model": model, "dimension": dimension, "vectors": [encoded(vector) for vector in vectors]}


def normalized(rows: "torch.Tensor") -> "torch.Tensor":
    """Rows of length 1, in 32-bit floats, whatever the model computes in."""
    import torch

    return torch.nn.functional.normalize(rows.float(), dim=-1)
