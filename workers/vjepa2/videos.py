"""Videos of a request to a fixed number of frames, evenly spaced."""

import io
from collections.abc import Callable

import numpy
from PIL import Image

from common.errors import RequestError
from common.images import decoded
from common.limits import Limits
from common.requests import bytes_at, list_of

FRAME_COUNT = 16


def _container_of(data: bytes) -> str | None:
    """Which reader a file needs, by its first bytes; None for kinds that are not read.

    The library would find out by itself, among readers of play lists too, which open other files and addresses.
    """
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return "avi"
    return None


def sampled(count: int, wanted: int = FRAME_COUNT) -> list[int]:
    """Which of `count` frames are looked at: evenly spaced, the first and the last among them.

    Of fewer frames than are wanted some are looked at twice, as if the video were slower.
    """
    return [(2 * index * (count - 1) + wanted - 1) // (2 * (wanted - 1)) for index in range(wanted)]


def videos_of(fields: dict, limits: Limits) -> list[list[bytes] | bytes]:
    """The videos of a request, not decoded yet: each a list of frames, or a file."""
    videos: list[list[bytes] | bytes] = []
    for index, item in enumerate(list_of(fields, "videos", limits.max_videos)):
        place = f"input.videos[{index}]"
        if not isinstance(item, dict) or ("frames" in item) == ("file" in item):
            raise RequestError("bad_request", f"{place} must be an object with either frames or file")
        if "file" in item:
            videos.append(bytes_at(item["file"], f"{place}.file", limits.max_video_bytes))
            continue
        frames = item["frames"]
        if not isinstance(frames, list) or not frames:
            raise RequestError("bad_request", f"{place}.frames must be a list with something in it")
        if len(frames) > limits.max_frames:
            raise RequestError(
                "too_many", f"{place}.frames has {len(frames)} items; {limits.max_frames} are the limit: "
                f"{FRAME_COUNT} evenly spaced ones are all that is looked at")
        # All are looked at, so that what is wrong is told whichever are sampled.
        videos.append([
            bytes_at(frame, f"{place}.frames[{position}]", limits.max_image_bytes)
            for position, frame in enumerate(frames)])
    return videos


def frames_of(
    video: list[bytes] | bytes, index: int, limits: Limits, prepare: Callable[[Image.Image], numpy.ndarray]
) -> list[numpy.ndarray]:
    """The frames of a video that are looked at, each handed to `prepare` at once: whole ones may have 25 MB."""
    place = f"input.videos[{index}]"
    if isinstance(video, bytes):
        return _frames_of_file(video, f"{place}.file", limits, prepare)
    wanted = sampled(len(video))
    frames = {
        position: prepare(decoded(video[position], f"{place}.frames[{position}]", limits)) for position in set(wanted)
    }
    return [frames[position] for position in wanted]


def _frames_of_file(
    data: bytes, place: str, limits: Limits, prepare: Callable[[Image.Image], numpy.ndarray]
) -> list[numpy.ndarray]:
    """Frames of a video file. It is gone through twice: its frames are counted without decoding, because what a
    container says of their number may be wrong or missing; then each is decoded, and those wanted are kept."""
    import av

    kind = _container_of(data)
    if kind is None:
        raise RequestError("bad_video", f"{place} is no MP4, QuickTime, Matroska, WebM or AVI")
    try:
        count = 0
        with av.open(io.BytesIO(data), format=kind, metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            width, height = stream.codec_context.width, stream.codec_context.height
            for packet in container.demux(stream):
                count += packet.size > 0
                if count > limits.max_video_length:
                    break
    except Exception:
        # Whatever the library says may quote the file.
        raise RequestError("bad_video", f"{place} is no video that can be read") from None
    if count > limits.max_video_length:
        raise RequestError("too_large", f"{place} has more than {limits.max_video_length} frames, which is the limit: cut it")
    if width * height > limits.max_video_pixels:
        raise RequestError(
            "too_large", f"{place} has frames of {width} × {height} pixels; {limits.max_video_pixels} are the limit")
    wanted = sampled(count) if count else []
    frames: dict[int, numpy.ndarray] = {}
    last: numpy.ndarray | None = None
    try:
        with av.open(io.BytesIO(data), format=kind, metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for position, frame in enumerate(container.decode(stream)):
                if frame.width * frame.height > limits.max_video_pixels or position >= limits.max_video_length:
                    raise ValueError("it changes while it is read")
                if position in wanted:
                    last = frames[position] = prepare(Image.fromarray(frame.to_ndarray(format="rgb24")))
    except Exception:
        raise RequestError("bad_video", f"{place} is damaged") from None
    if last is None:
        raise RequestError("bad_video", f"{place} has no frame that can be shown")
    # A packet need not give a frame: then the last that came stands for those that did not.
    return [frames.get(position, last) for position in wanted]
