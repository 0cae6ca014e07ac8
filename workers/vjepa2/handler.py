"""The worker for videos, and for what is said about them: `python -m vjepa2.handler`.

V-JEPA 2 has no text tower. Texts are SigLIP 2's, so a text finds images, and frames that are stored as images; it
finds no video vector.
"""

import numpy

from common.errors import RequestError
from common.limits import Limits
from common.requests import text_at, texts_of
from common.worker import Worker, prepare, run
from siglip2.handler import Siglip


def load(limits: Limits) -> Worker:
    """The models that WORKER_MODEL and WORKER_TEXT_MODEL name, as a worker."""
    prepare()
    from common.batching import Batcher
    from common.images import beside_the_loop
    from common.models import device_and_type, model_folder
    from common.vectors import reply_of
    from vjepa2.encoder import VideoEncoder
    from vjepa2.videos import frames_of, videos_of

    folder, name = model_folder("WORKER_MODEL", "facebook/vjepa2-vitl-fpc64-256")
    encoder = VideoEncoder(folder, name, *device_and_type())
    siglip = Siglip("WORKER_TEXT_MODEL", limits)
    texts = siglip.encoder
    of_videos = Batcher(encoder.encode, batch_size=4, max_waiting=limits.max_waiting)

    async def video(fields: dict) -> dict:
        videos = videos_of(fields, limits)

        def clips() -> list[numpy.ndarray]:
            return [
                numpy.stack(frames_of(video, index, limits, encoder.preprocessing.pixels))
                for index, video in enumerate(videos)
            ]

        vectors = await of_videos.submit(await beside_the_loop(clips))
        return reply_of(encoder.name, encoder.dimension, vectors, limits)

    async def predictive(fields: dict) -> dict:
        """How near an intent is to each of the outcomes that the caller gives: the cosine of SigLIP 2's texts.

        Nothing is predicted: V-JEPA 2's predictor fills in masked parts of a video, and knows no words.
        """
        intent = text_at(fields.get("intent"), "input.intent", limits)
        outcomes = texts_of(fields, limits, "outcomes", limits.max_outcomes)
        vectors = await siglip.texts.submit([intent, *outcomes])
        scores = numpy.stack(vectors[1:]) @ vectors[0]
        if not numpy.isfinite(scores).all():
            raise RequestError("not_finite", "the model gave a score that is not finite; nothing was returned")
        return {"model": texts.name, "scores": [float(score) for score in scores]}

    def health() -> dict:
        return {"model": encoder.name, "revision": encoder.revision, "dimension": encoder.dimension,
                "device": str(encoder.device), "loaded": True,
                "text": {"model": texts.name, "revision": texts.revision, "dimension": texts.dimension}}

    return Worker(
        "vjepa2", {"video": video, "intent": siglip.text, "visual_text": siglip.text, "predictive": predictive}, health)


if __name__ == "__main__":
    run("vjepa2", load)
