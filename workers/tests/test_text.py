"""The worker for texts, through the SDK: what it gives is what transformers gives."""

import base64

import numpy
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from conftest import vectors_of

TEXTS = [
    "The deploy failed: its token had expired.", "Ünïcode – naïve façade, 東京", "a", "Zebras run. " * 400,
    "def f(x):\n    return x + 1\n", "🦓 emoji", "The deploy failed: its token had expired."]


def states(folder, texts: list[str], limit: int):
    """States and mask of texts, each alone, by transformers."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for text in texts:
        inputs = tokenizer([text], truncation=True, max_length=limit, return_tensors="pt")
        with torch.no_grad():
            yield inputs["input_ids"][0].tolist(), model(**inputs).last_hidden_state[0].double()


def unit(vector):
    return vector / vector.norm(dim=-1, keepdim=True)


def test_a_folder_of_sentence_transformers_gives_its_mean_vectors(gateway, minilm):
    output = gateway.output("minilm", type="text", texts=TEXTS, encoding="base64")
    assert (output["model"], output["dimension"]) == ("all-MiniLM-L6-v2", 384)
    expected = numpy.stack([unit(rows.mean(0)).numpy() for _, rows in states(minilm, TEXTS, 256)])
    assert numpy.abs(vectors_of(output) - expected).max() < 1e-5
    # Only the long one was cut, and the reply says so.
    assert output["truncated"] == [3]


def test_bge_m3_gives_the_first_state_weights_of_tokens_and_their_vectors(gateway, models):
    texts = ["a dog runs under the tree", "dog dog dog", "token nonsense", "a " * 100]
    output = gateway.output("bge_m3", type="text", texts=texts, sparse=True, multi=True)
    assert output["dimension"] == 1024 and output["truncated"] == [3]
    sparse = load_file(models["bge_m3"] / "sparse_linear.safetensors")
    multi = load_file(models["bge_m3"] / "colbert_linear.safetensors")
    for index, (ids, rows) in enumerate(states(models["bge_m3"], texts, 32)):
        assert numpy.abs(vectors_of(output)[index] - unit(rows[0]).numpy()).max() < 1e-5
        weights = torch.relu(rows @ sparse["weight"][0].double() + sparse["bias"].double()).tolist()
        expected: dict[str, float] = {}
        for token, weight in zip(ids, weights):
            # <s>, <pad>, </s> and <unk> have the first ids.
            if token > 3 and weight > 0:
                expected[str(token)] = max(weight, expected.get(str(token), 0))
        assert output["sparse"][index] == pytest.approx(expected, abs=1e-5)
        tokens = numpy.frombuffer(base64.b64decode(output["multi"][index]), dtype="<f4").reshape(-1, 1024)
        expected = unit(rows[1:] @ multi["weight"].double().T + multi["bias"].double())
        assert tokens.shape == expected.shape
        assert numpy.abs(tokens - expected.numpy()).max() < 1e-5
    assert any(output["sparse"])


def test_what_is_not_asked_for_is_not_sent(gateway):
    assert set(gateway.output("bge_m3", type="text", texts=["a dog"])) == {"model", "dimension", "vectors"}


def test_a_model_without_a_layer_says_so(gateway):
    for name in ("sparse", "multi"):
        error = gateway.error("minilm", type="text", texts=["a dog"], **{name: True})
        assert error["code"] == "unsupported" and name in error["message"]


def test_jobs_that_run_together_get_what_they_get_alone(gateway):
    inputs = [{"type": "text", "texts": [f"text {job} {'word ' * (job % 7)}{index}" for index in range(1 + job % 5)]}
              for job in range(64)]
    together = gateway.at_once("minilm", inputs)
    for fields, output in list(zip(inputs, together))[::9]:
        alone = vectors_of(gateway.output("minilm", **fields))
        assert numpy.abs(vectors_of(output) - alone).max() < 1e-5


def test_health_says_what_is_loaded(gateway):
    assert gateway.output("bge_m3", type="health") == {
        "model": "bge_m3", "revision": None, "dimension": 1024, "device": "cpu", "loaded": True, "sparse": True, "multi": True}
