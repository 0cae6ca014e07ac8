"""How much a request may hold. Each limit can be set by the environment; the defaults fit bodies of 10 MB, RunPod's
limit for `/run`, and replies of 20 MB."""

import os
from dataclasses import dataclass, fields

from common.errors import StartError


@dataclass(frozen=True)
class Limits:
    """The bounds of one request. A field `max_texts` is set by the variable `WORKER_MAX_TEXTS`."""

    max_texts: int = 1024
    # A token of BGE-M3 is 4 bytes of English or more; it takes 8,192 of them.
    max_text_bytes: int = 65_536
    max_images: int = 64
    max_image_bytes: int = 10_000_000
    # 40 megapixels are 120 MB when decoded.
    max_image_pixels: int = 40_000_000
    max_videos: int = 8
    max_frames: int = 64
    max_video_bytes: int = 20_000_000
    # Of a video file: pixels of a frame, and how many frames are looked through (10 minutes at 30 a second).
    max_video_pixels: int = 8_847_360
    max_video_length: int = 18_000
    max_outcomes: int = 256
    # The bytes of vectors of a reply, before base64 makes 4 of 3.
    max_reply_bytes: int = 14_000_000
    # Items of all jobs that wait for the model.
    max_waiting: int = 65_536

    @staticmethod
    def of_environment() -> "Limits":
        """The defaults, but for what the environment sets."""
        return Limits(**{field.name: whole_number("WORKER_" + field.name.upper(), field.default) for field in fields(Limits)})


def whole_number(variable: str, default: int) -> int:
    """A number of at least 1 from the environment."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise StartError(f"{variable} must be a whole number of at least 1")
    return int(text)
