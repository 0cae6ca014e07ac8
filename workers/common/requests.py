"""Reads the input of a job. Every check names the field, the limit and what was found, and none what the field held."""

import base64
import binascii
from typing import Any

from common.errors import RequestError
from common.limits import Limits


def input_of(job: Any) -> dict:
    """The `input` of a job, an object."""
    fields = job.get("input") if isinstance(job, dict) else None
    if not isinstance(fields, dict):
        raise RequestError("bad_request", "input must be an object")
    return fields


def type_of(fields: dict, known: tuple[str, ...]) -> str:
    """What the job asks for; one of `known`."""
    kind = fields.get("type")
    if kind not in known or not isinstance(kind, str):
        raise RequestError("unsupported_type", f"input.type must be one of {', '.join(known)}")
    return kind


def flag_of(fields: dict, name: str) -> bool:
    """A Boolean that may be left out."""
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise RequestError("bad_request", f"input.{name} must be true or false")
    return value


def check_encoding(fields: dict) -> None:
    """Vectors are sent as base64 only: as JSON numbers they take 3 times the bytes."""
    if fields.get("encoding", "base64") != "base64":
        raise RequestError("bad_request", "input.encoding must be base64")


def list_of(fields: dict, name: str, limit: int) -> list:
    """A list of 1 to `limit` items."""
    items = fields.get(name)
    if not isinstance(items, list) or not items:
        raise RequestError("bad_request", f"input.{name} must be a list with something in it")
    if len(items) > limit:
        raise RequestError("too_many", f"input.{name} has {len(items)} items; {limit} are the limit: send several jobs")
    return items


def text_at(value: Any, place: str, limits: Limits) -> str:
    """A text that is one: valid Unicode, not empty, and within its limit of bytes."""
    if not isinstance(value, str):
        raise RequestError("bad_request", f"{place} must be a string")
    try:
        byte_count = len(value.encode())
    except UnicodeEncodeError:
        # From None: the original holds the text.
        raise RequestError("bad_request", f"{place} has half of a surrogate pair") from None
    if not value.strip():
        raise RequestError("bad_request", f"{place} is empty")
    if byte_count > limits.max_text_bytes:
        raise RequestError(
            "too_large", f"{place} has {byte_count} bytes of UTF-8; {limits.max_text_bytes} are the limit: split it")
    return value


def texts_of(fields: dict, limits: Limits, name: str = "texts", limit: int | None = None) -> list[str]:
    """A list of texts."""
    items = list_of(fields, name, limit or limits.max_texts)
    return [text_at(item, f"input.{name}[{index}]", limits) for index, item in enumerate(items)]


def bytes_at(value: Any, place: str, limit: int) -> bytes:
    """Bytes that came as base64, with padding and without line breaks."""
    if not isinstance(value, str):
        raise RequestError("bad_request", f"{place} must be a string of base64")
    # Before they are decoded: 4 characters are 3 bytes.
    if len(value) // 4 * 3 > limit + 2:
        raise RequestError("too_large", f"{place} has about {len(value) // 4 * 3} bytes; {limit} are the limit")
    try:
        data = base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise RequestError("bad_base64", f"{place} is not base64") from None
    if not data:
        raise RequestError("bad_request", f"{place} is empty")
    if len(data) > limit:
        raise RequestError("too_large", f"{place} has {len(data)} bytes; {limit} are the limit")
    return data
