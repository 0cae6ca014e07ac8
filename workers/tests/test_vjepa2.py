"""The worker for videos, through the SDK."""

import io

import av
import numpy
import pytest
import torch
from PIL import Image
from transformers import AutoModel

from common.images import decoded
from common.limits import Limits
from conftest import base64_of, image, vectors_of
from vjepa2.encoder import pooled
from vjepa2.videos import frames_of, sampled


def video_file(count: int, kind: str = "mp4", codec: str = "mpeg4", size: tuple[int, int] = (64, 48)) -> bytes:
    """A video whose frame `n` is grey of value `5 n`."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = size
        stream.pix_fmt, stream.bit_rate = "yuvj420p" if codec == "mjpeg" else "yuv420p", 8_000_000
        for index in range(count):
            pixels = numpy.full((size[1], size[0], 3), 5 * index, dtype=numpy.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def expected(folder, frames: list[Image.Image]) -> numpy.ndarray:
    """The vector of 16 frames by transformers, and by the rule in 64-bit floats."""
    clip = []
    for frame in frames:
        width, height = (36 * side // min(frame.size) for side in frame.size)
        frame = frame.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - 32) / 2), round((height - 32) / 2)
        values = numpy.asarray(frame.crop((left, top, left + 32, top + 32))).astype(numpy.float64) / 255
        clip.append(((values - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1))
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        tokens = model(torch.tensor(numpy.stack(clip)[None], dtype=torch.float32), skip_predictor=True).last_hidden_state
    # 8 pairs of frames × 2 × 2 patches.
    assert tokens.shape == (1, 32, 1024)
    x = tokens[0].double().numpy()
    q = x.mean(axis=0)
    weights = numpy.exp(x @ q / numpy.linalg.norm(x, axis=1) / numpy.linalg.norm(q))
    v = (weights / weights.sum()) @ x
    return v / numpy.linalg.norm(v)


def test_frames_give_what_transformers_and_the_rule_give(gateway, models):
    frames = [image(seed, 60, 50) for seed in range(16)]
    output = gateway.output("vjepa2", type="video", videos=[{"frames": [base64_of(frame) for frame in frames]}])
    assert (output["model"], output["dimension"]) == ("vjepa2", 1024)
    pictures = [decoded(frame, "here", Limits()) for frame in frames]
    assert numpy.abs(vectors_of(output)[0] - expected(models["vjepa2"], pictures)).max() < 1e-5


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "h264"), ("mov", "mpeg4"), ("webm", "vp9"), ("avi", "mjpeg")])
def test_a_file_gives_what_its_sampled_frames_give(kind, codec):
    data = video_file(46, kind, codec)
    greys = [frame.mean() for frame in frames_of(data, 0, Limits(), numpy.asarray)]
    # 46 frames: each third, the first and the last among them.
    assert greys == pytest.approx([15 * index for index in range(16)], abs=2)


def test_files_and_frames_come_together(gateway):
    frames = [base64_of(image(seed)) for seed in range(3)]
    output = gateway.output("vjepa2", type="video", videos=[{"file": base64_of(video_file(20))}, {"frames": frames}])
    assert numpy.linalg.norm(vectors_of(output), axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 100, 18_000])
def test_sampling_is_even_and_has_both_ends(count):
    positions = sampled(count)
    assert len(positions) == 16 and positions[0] == 0 and positions[-1] == count - 1
    # None is nearer to where it should be.
    assert all(abs(position - index * (count - 1) / 15) <= 0.5 for index, position in enumerate(positions))
    steps = [after - before for before, after in zip(positions, positions[1:])]
    assert max(steps) - min(steps) <= 1 and min(steps) >= 0


def test_pooling_is_the_mean_of_equal_tokens_and_bounds_what_one_of_them_counts():
    token = torch.randn(1, 1, 16)
    assert torch.allclose(pooled(token.expand(1, 9, 16)), token[:, 0] / token.norm(), atol=1e-6)
    tokens = torch.randn(1, 9, 16)
    assert torch.allclose(pooled(tokens[:, torch.randperm(9)]), pooled(tokens), atol=1e-6)
    # The size of states does not matter.
    assert torch.allclose(pooled(1000 * tokens), pooled(tokens), atol=1e-5)


@pytest.mark.parametrize(("data", "told"), [
    (b"no video", "is no MP4"), (bytes(5000), "is no MP4"), (b"#EXTM3U\n/etc/passwd\n", "is no MP4"),
    (b"ffconcat version 1.0\nfile /etc/passwd\n", "is no MP4"), (video_file(20)[:300], "can be read")])
def test_what_is_no_video_is_told_by_its_place(gateway, data, told):
    error = gateway.error("vjepa2", type="video", videos=[{"file": base64_of(video_file(3))}, {"file": base64_of(data)}])
    assert error["code"] == "bad_video" and "input.videos[1].file" in error["message"] and told in error["message"]


def test_a_video_that_is_too_long_or_too_large_is_refused():
    from common.errors import RequestError

    for limits in (Limits(max_video_length=10), Limits(max_video_pixels=1000)):
        with pytest.raises(RequestError) as caught:
            frames_of(video_file(20), 0, limits, numpy.asarray)
        assert caught.value.code == "too_large"


def test_texts_are_those_of_siglip(gateway):
    texts = ["a dog runs", "the tree"]
    siglip = gateway.output("siglip2", type="text", texts=texts)
    for kind in ("intent", "visual_text"):
        assert gateway.output("vjepa2", type=kind, texts=texts) == siglip


def test_predictive_scores_are_cosines_of_siglip(gateway):
    outcomes = ["a dog runs", "the tree", "token failed"]
    output = gateway.output("vjepa2", type="predictive", intent="a dog runs", outcomes=outcomes)
    vectors = vectors_of(gateway.output("siglip2", type="text", texts=outcomes))
    assert output["model"] == "siglip2"
    assert output["scores"] == pytest.approx((vectors @ vectors[0]).tolist(), abs=1e-5)


def test_health_names_both_models(gateway):
    assert gateway.output("vjepa2", type="health") == {
        "model": "vjepa2", "revision": None, "dimension": 1024, "device": "cpu", "loaded": True,
        "text": {"model": "siglip2", "revision": None, "dimension": 1152}}
