"""The worker for images and texts in one space, through the SDK."""

import io

import numpy
import pytest
import torch
from PIL import Image
from transformers import AutoModel, PreTrainedTokenizerFast

from common.images import Preprocessing, decoded
from common.limits import Limits
from conftest import base64_of, image, vectors_of


def features(result):
    result = result if isinstance(result, torch.Tensor) else result.pooler_output
    return torch.nn.functional.normalize(result, dim=-1).detach().numpy()


def test_texts_are_padded_behind_to_64_tokens_without_a_mask(gateway, models):
    texts = ["A DOG runs", "the cat sits under the tree", "red " * 100]
    output = gateway.output("siglip2", type="text", texts=texts)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(models["siglip2"])
    # Lower case, <eos> (1), then <pad> (0).
    rows = [tokenizer(text.lower(), add_special_tokens=False)["input_ids"][:63] + [1] for text in texts]
    ids = torch.tensor([row + [0] * (64 - len(row)) for row in rows])
    expected = features(AutoModel.from_pretrained(models["siglip2"]).eval().get_text_features(input_ids=ids))
    assert (output["model"], output["dimension"]) == ("siglip2", 1152)
    assert numpy.abs(vectors_of(output) - expected).max() < 1e-5


def test_images_of_each_kind_are_those_of_transformers(gateway, models):
    data = [image(1), image(2, 200, 31, "JPEG"), image(3, 10, 90, "WEBP")]
    output = gateway.output("siglip2", type="image", images=[base64_of(one) for one in data])
    scaled = [Image.open(io.BytesIO(one)).convert("RGB").resize((28, 28), Image.Resampling.BILINEAR) for one in data]
    pixels = torch.stack([torch.from_numpy(numpy.asarray(one).copy()).permute(2, 0, 1) / 127.5 - 1 for one in scaled])
    expected = features(AutoModel.from_pretrained(models["siglip2"]).eval().get_image_features(pixel_values=pixels))
    assert numpy.abs(vectors_of(output) - expected).max() < 1e-5


def test_pixels_are_those_of_the_processor_of_transformers(models):
    processors = pytest.importorskip("transformers.models.siglip.image_processing_pil_siglip")
    processor = processors.SiglipImageProcessorPil.from_pretrained(models["siglip2"])
    picture = decoded(image(4, 77, 41), "here", Limits())
    ours = Preprocessing.of_folder(models["siglip2"], "preprocessor_config.json").pixels(picture)
    theirs = numpy.asarray(processor(picture, return_tensors="np")["pixel_values"][0])
    assert numpy.abs(ours - theirs).max() < 1e-5


def test_an_image_is_turned_as_its_camera_says():
    picture = Image.new("RGB", (4, 2))
    tags = picture.getexif()
    tags[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=tags)
    assert decoded(buffer.getvalue(), "here", Limits()).size == (2, 4)


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(100), b"no image", image(1)[:200], b"\xff\xd8\xff" + bytes(64)])
def test_what_is_no_image_or_is_damaged_is_told_by_its_place(gateway, data):
    error = gateway.error("siglip2", type="image", images=[base64_of(image(1)), base64_of(data)])
    assert error["code"] == "bad_image" and "input.images[1]" in error["message"]


def test_an_image_of_too_many_pixels_is_refused_before_they_are_made(gateway):
    # 900 megapixels of one colour, in a few kilobytes.
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    error = gateway.error("siglip2", type="image", images=[base64_of(buffer.getvalue())])
    assert error["code"] == "too_large" and "40000000" in error["message"]


def test_both_shapes_of_output_are_read(models):
    """transformers 4 gives a tensor, 5 an object."""
    from siglip2.encoder import SiglipEncoder

    encoder = SiglipEncoder(models["siglip2"], "siglip2", torch.device("cpu"), torch.float32)
    theirs = encoder.model.get_text_features
    before = encoder.encode_texts(["a dog"])[0]

    def other_shape(**options):
        result = theirs(**options)
        if not isinstance(result, torch.Tensor):
            return result.pooler_output
        return type("Output", (), {"pooler_output": result})()

    encoder.model.get_text_features = other_shape
    assert numpy.array_equal(encoder.encode_texts(["a dog"])[0], before)
