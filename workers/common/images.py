"""Images to what a model reads: decoded within bounds, scaled, cropped and normalised as its folder says.

Only Pillow decodes, and only PNG, JPEG and WebP, told by their first bytes. Pillow scales too: transformers has two
implementations, one on torchvision, and which of them runs changes with its version; the vectors must not.
"""

import asyncio
import io
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image, ImageOps

from common.errors import RequestError, StartError
from common.limits import Limits
from common.requests import bytes_at, list_of

FORMATS = ("PNG", "JPEG", "WEBP")

# Ours stands in its place, and can be set.
Image.MAX_IMAGE_PIXELS = None

# So many images or frames are in memory as pixels at once, whatever the jobs are.
_decoders = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="decoder")


async def beside_the_loop(work: Callable[[], list]) -> list:
    """Decodes on other threads, while the loop talks to RunPod and the model runs."""
    return await asyncio.get_running_loop().run_in_executor(_decoders, work)


def images_of(fields: dict, limits: Limits) -> list[bytes]:
    """The images of a request, not decoded yet."""
    items = list_of(fields, "images", limits.max_images)
    return [bytes_at(item, f"input.images[{index}]", limits.max_image_bytes) for index, item in enumerate(items)]


def decoded(data: bytes, place: str, limits: Limits) -> Image.Image:
    """An image in RGB, turned as its camera says. Its size is looked at before its pixels are made."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception:
        raise RequestError("bad_image", f"{place} is no PNG, JPEG or WebP") from None
    width, height = image.size
    if width * height > limits.max_image_pixels:
        raise RequestError(
            "too_large", f"{place} has {width} × {height} pixels; {limits.max_image_pixels} are the limit: scale it down")
    try:
        # Of an animation, the first frame.
        return ImageOps.exif_transpose(image).convert("RGB")
    except Exception:
        raise RequestError("bad_image", f"{place} is damaged") from None


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become the input of a model: from `preprocessor_config.json`, or `video_preprocessor_config.json`.

    `shortest` scales the shorter side to so many pixels, and the middle is cut out; else the image is scaled to
    `height` × `width`, whatever its shape.
    """

    height: int
    width: int
    shortest: int | None
    resampling: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def of_folder(folder: Path, name: str) -> "Preprocessing":
        """What the file `name` of a model's folder says."""
        path = folder / name
        try:
            settings = json.loads(path.read_text())
            size, crop = settings.get("size") or {}, settings.get("crop_size")
            if isinstance(crop, int):
                crop = {"height": crop, "width": crop}
            shortest = size.get("shortest_edge")
            target = crop if shortest else size
            result = Preprocessing(
                height=int(target["height"]), width=int(target["width"]), shortest=int(shortest) if shortest else None,
                resampling=int(settings["resample"]), mean=tuple(settings["image_mean"]), std=tuple(settings["image_std"]))
            factor = settings.get("rescale_factor", 1 / 255)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StartError(f"{path} cannot be used: {type(error).__name__} {error}") from None
        if abs(factor - 1 / 255) > 1e-9 or len(result.mean) != 3 or len(result.std) != 3 or min(result.std) <= 0:
            raise StartError(f"{path}: pixels that are not scaled by 1/255, or no three channels")
        return result

    def pixels(self, image: Image.Image) -> numpy.ndarray:
        """An image in RGB as 32-bit floats of shape (3, height, width)."""
        if self.shortest is None:
            image = image.resize((self.width, self.height), resample=self.resampling)
        else:
            shorter = min(image.size)
            # The longer side is rounded down, as torchvision has it.
            width, height = (max(self.shortest * side // shorter, 1) for side in image.size)
            image = image.resize((width, height), resample=self.resampling)
            left, top = round((width - self.width) / 2), round((height - self.height) / 2)
            # Beyond the edge, if there is any, is black.
            image = image.crop((left, top, left + self.width, top + self.height))
        values = numpy.asarray(image, dtype=numpy.float32) / 255
        values = (values - numpy.float32(self.mean)) / numpy.float32(self.std)
        return values.transpose(2, 0, 1)
