"""The worker for texts: `python -m bge_m3.handler`."""

from common.errors import RequestError
from common.limits import Limits
from common.requests import flag_of, texts_of
from common.worker import Worker, prepare, run


def load(limits: Limits) -> Worker:
    """The model that WORKER_MODEL names, by default BAAI/bge-m3, as a worker."""
    prepare()
    from bge_m3.encoder import TextEncoder, TextItem
    from common.batching import Batcher
    from common.models import device_and_type, model_folder
    from common.vectors import encoded, reply_of

    folder, name = model_folder("WORKER_MODEL", "BAAI/bge-m3")
    device, dtype = device_and_type()
    encoder = TextEncoder(folder, name, device, dtype)
    batcher = Batcher(encoder.encode, batch_size=256, max_waiting=limits.max_waiting)

    async def text(fields: dict) -> dict:
        texts = texts_of(fields, limits)
        sparse, multi = flag_of(fields, "sparse"), flag_of(fields, "multi")
        encoder.check(sparse, multi)
        results = await batcher.submit([TextItem(text, sparse, multi) for text in texts])
        reply = reply_of(encoder.name, encoder.dimension, [result.dense for result in results], limits)
        if sparse:
            reply["sparse"] = [result.sparse for result in results]
        if multi:
            byte_count = sum(result.multi.size * 4 for result in results)
            if byte_count > limits.max_reply_bytes:
                raise RequestError(
                    "reply_too_large",
                    f"the vectors of the tokens have {byte_count} bytes; {limits.max_reply_bytes} are the limit: send fewer or "
                    "shorter texts")
            reply["multi"] = [encoded(result.multi) for result in results]
        if cut := [index for index, result in enumerate(results) if result.is_cut]:
            reply["truncated"] = cut
        return reply

    def health() -> dict:
        return {"model": encoder.name, "revision": encoder.revision, "dimension": encoder.dimension, "device": str(device),
                "loaded": True, "sparse": encoder.sparse is not None, "multi": encoder.multi is not None}

    return Worker("bge_m3", {"text": text}, health)


if __name__ == "__main__":
    run("bge_m3", load)
