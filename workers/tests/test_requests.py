"""What a request may hold: each bound is told with its number, and nothing of what was sent is."""

import asyncio

import pytest

from common import worker as running
from common.errors import RequestError
from common.limits import Limits
from common.worker import Worker
from conftest import base64_of

SECRET = "correct horse battery staple"

LIMITS = Limits(max_texts=3, max_text_bytes=100, max_images=2, max_image_bytes=20_000, max_videos=2, max_frames=4,
                max_video_bytes=1000, max_outcomes=2)


def refused(read, fields: dict) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(fields, LIMITS)
    message = str(caught.value.reply())
    assert SECRET not in message and "horse" not in message
    # Nothing behind it holds the text either: a traceback would show that.
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__)
    return caught.value


@pytest.mark.parametrize(("texts", "code", "told"), [
    (None, "bad_request", "input.texts"), ([], "bad_request", "input.texts"), (SECRET, "bad_request", "input.texts"),
    ([SECRET] * 4, "too_many", "4 items; 3"), ([SECRET, 1], "bad_request", "input.texts[1]"),
    ([SECRET, ""], "bad_request", "input.texts[1]"), ([" \n"], "bad_request", "input.texts[0]"),
    ([SECRET * 4], "too_large", "112 bytes of UTF-8; 100"), (["é" * 51], "too_large", "102 bytes"),
    ([SECRET + "\ud800"], "bad_request", "surrogate"), ({"a": SECRET}, "bad_request", "input.texts"),
])
def test_texts(texts, code, told):
    from common.requests import texts_of

    error = refused(texts_of, {"texts": texts})
    assert error.code == code and told in error.message


@pytest.mark.parametrize(("images", "code", "told"), [
    ([SECRET], "bad_base64", "input.images[0]"), ([""], "bad_request", "input.images[0]"), ([5], "bad_request", "input.images[0]"),
    (["AAAA"] * 3, "too_many", "3 items; 2"), ([base64_of(bytes(20_001))], "too_large", "20001 bytes; 20000"),
    (["A" * 40_000], "too_large", "20000 are the limit"), (["AAAA\n"], "bad_base64", "input.images[0]"), (["é==="], "bad_base64", "[0]"),
])
def test_images(images, code, told):
    pytest.importorskip("PIL")
    from common.images import images_of

    error = refused(images_of, {"images": images})
    assert error.code == code and told in error.message


@pytest.mark.parametrize(("videos", "code", "told"), [
    ([SECRET], "bad_request", "either frames or file"), ([{}], "bad_request", "either frames or file"),
    ([{"frames": ["AAAA"], "file": "AAAA"}], "bad_request", "either frames or file"), ([{"frames": []}], "bad_request", "frames"),
    ([{"frames": ["AAAA"] * 5}], "too_many", "5 items; 4"), ([{"file": "A" * 2000}], "too_large", "1000 are the limit"),
    ([{"frames": ["AAAA"]}, {"frames": ["AAAA", SECRET]}], "bad_base64", "input.videos[1].frames[1]"),
    ([{"file": "AAAA"}] * 3, "too_many", "3 items; 2"),
])
def test_videos(videos, code, told):
    pytest.importorskip("PIL")
    from vjepa2.videos import videos_of

    error = refused(videos_of, {"videos": videos})
    assert error.code == code and told in error.message


def test_limits_hold_behind_the_sdk_too(gateway):
    error = gateway.error("bge_m3", type="text", texts=["a dog"] * 41)
    assert error == {"code": "too_many", "message": "input.texts has 41 items; 40 are the limit: send several jobs"}


@pytest.mark.parametrize(("fields", "code"), [
    ({}, "unsupported_type"), ({"type": SECRET}, "unsupported_type"), ({"type": ["text"]}, "unsupported_type"),
    ({"type": "image", "images": [base64_of(b"an image")]}, "unsupported_type"),
    ({"type": "text", "texts": ["a"], "encoding": "float"}, "bad_request"),
    ({"type": "text", "texts": ["a"], "sparse": "yes"}, "bad_request"),
])
def test_what_the_worker_does_not_know_fails_the_job(gateway, fields, code):
    error = gateway.error("bge_m3", **fields)
    assert error["code"] == code and SECRET not in str(error)


@pytest.mark.parametrize("job", [None, {}, {"input": None}, {"input": [SECRET]}, {"input": SECRET}])
def test_an_input_that_is_no_object_fails_the_job(job):
    assert asyncio.run(Worker("test", {}, dict).handle(job)) == {
        "error": {"code": "bad_request", "message": "input must be an object"}}


def test_a_reply_that_is_too_large_is_refused_before_it_is_made(gateway):
    # 40 texts of 32 tokens of 1,024 floats are 5 MB; of 8,192 tokens each they would be 1.3 GB.
    from common.vectors import reply_of

    with pytest.raises(RequestError, match="several jobs"):
        reply_of("model", 1024, [None] * 4000, Limits())


def test_an_error_nobody_thought_of_shows_no_text(capfd):
    async def fails(fields: dict) -> dict:
        raise KeyError(fields["texts"][0])

    worker = Worker("test", {"text": fails}, dict)
    reply = asyncio.run(worker.handle({"id": "1", "input": {"type": "text", "texts": [SECRET]}}))
    assert reply["error"]["code"] == "internal" and "KeyError" in reply["error"]["message"]
    shown = "".join(capfd.readouterr())
    assert "test_requests.py" in shown and SECRET not in shown + str(reply)


def test_no_text_is_in_the_logs_even_if_the_sdk_is_told_to_log_all(gateway):
    """The fixture sets RUNPOD_LOG_LEVEL=DEBUG, at which the SDK logs what handlers return."""
    output = gateway.output("minilm", type="text", texts=[SECRET])
    gateway.error("minilm", type="text", texts=[SECRET, ""])
    gateway.error("minilm", type=SECRET)
    gateway.error("minilm", type="text", texts=[SECRET * 3000])
    gateway.output("vjepa2", type="predictive", intent=SECRET, outcomes=[SECRET])
    gateway.error("siglip2", type="image", images=[SECRET])
    logged = gateway.logged()
    assert "bge_m3: is ready" in logged and "siglip2: is ready" in logged
    assert SECRET not in logged and "horse" not in logged and output["vectors"][0][:40] not in logged


def test_the_sdk_may_be_told_to_say_less_and_not_more(monkeypatch):
    for given, expected in (("DEBUG", "ERROR"), ("INFO", "ERROR"), ("", "ERROR"), ("NOTSET", "NOTSET"), ("ERROR", "ERROR")):
        monkeypatch.setenv("RUNPOD_LOG_LEVEL", given)
        running.prepare()
        assert running.os.environ["RUNPOD_LOG_LEVEL"] == expected
