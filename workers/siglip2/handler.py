"""The worker for images and texts in one space: `python -m siglip2.handler`."""

from common.limits import Limits
from common.requests import texts_of
from common.worker import Worker, prepare, run


class Siglip:
    """A model that answers jobs with texts and jobs with images."""

    def __init__(self, variable: str, limits: Limits):
        """Loads the model that an environment variable names, by default google/siglip2-so400m-patch14-384."""
        from common.batching import Batcher
        from common.models import device_and_type, model_folder
        from siglip2.encoder import SiglipEncoder

        folder, name = model_folder(variable, "google/siglip2-so400m-patch14-384")
        self.encoder = SiglipEncoder(folder, name, *device_and_type())
        self.limits = limits
        # Each has a thread of its own, so that a text does not wait for many images.
        self.texts = Batcher(self.encoder.encode_texts, batch_size=256, max_waiting=limits.max_waiting)
        self.images = Batcher(self.encoder.encode_images, batch_size=32, max_waiting=limits.max_waiting)

    async def text(self, fields: dict) -> dict:
        """Vectors of `texts`."""
        return self._reply(await self.texts.submit(texts_of(fields, self.limits)))

    async def image(self, fields: dict) -> dict:
        """Vectors of `images`, which are decoded beside the loop."""
        from common.images import beside_the_loop, decoded, images_of

        images = images_of(fields, self.limits)

        def pixels() -> list:
            return [
                self.encoder.preprocessing.pixels(decoded(data, f"input.images[{index}]", self.limits))
                for index, data in enumerate(images)
            ]

        return self._reply(await self.images.submit(await beside_the_loop(pixels)))

    def _reply(self, vectors: list) -> dict:
        from common.vectors import reply_of

        return reply_of(self.encoder.name, self.encoder.dimension, vectors, self.limits)


def load(limits: Limits) -> Worker:
    """The model that WORKER_MODEL names, as a worker."""
    prepare()
    siglip = Siglip("WORKER_MODEL", limits)
    encoder = siglip.encoder

    def health() -> dict:
        return {"model": encoder.name, "revision": encoder.revision, "dimension": encoder.dimension,
                "device": str(encoder.device), "loaded": True}

    return Worker("siglip2", {"text": siglip.text, "image": siglip.image}, health)


if __name__ == "__main__":
    run("siglip2", load)
