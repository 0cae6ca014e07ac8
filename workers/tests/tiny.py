"""Models of random weights, small, and of the right shape: what they give is compared with transformers' own."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    PreTrainedTokenizerFast, SiglipConfig, SiglipModel, VJEPA2Config, VJEPA2Model,
    XLMRobertaConfig, XLMRobertaModel)

WORDS = "a an the dog cat bird runs sits flies red green blue over under tree house deploy token failed".split()


def tokenizer(special: list[str], template: str, **names: str) -> PreTrainedTokenizerFast:
    """A tokenizer of whole words; `special` have the first ids."""
    vocabulary = {word: index for index, word in enumerate([*special, *WORDS])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(word, index) for index, word in enumerate(special) if word in template])
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>", **names)


def bge_m3(folder: Path, dimension: int = 1024) -> Path:
    """XLM-RoBERTa with BGE-M3's three outputs."""
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=32, hidden_size=dimension, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=34, pad_token_id=1)
    XLMRobertaModel(config).save_pretrained(folder)
    words = tokenizer(["<s>", "<pad>", "</s>", "<unk>"], "<s> $A </s>", bos_token="<s>", eos_token="</s>",
                      cls_token="<s>", sep_token="</s>")
    words.save_pretrained(folder)
    for name, size in (("sparse_linear", 1), ("colbert_linear", dimension)):
        layer = torch.nn.Linear(dimension, size)
        save_file(dict(layer.state_dict()), folder / f"{name}.safetensors")
    return folder


def siglip2(folder: Path, dimension: int = 1152, side: int = 28) -> Path:
    """SigLIP of a fixed resolution, with 64 positions of text."""
    torch.manual_seed(2)
    tower = dict(hidden_size=dimension, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4)
    SiglipModel(SiglipConfig(
        text_config=dict(tower, vocab_size=32, max_position_embeddings=64, projection_size=dimension),
        vision_config=dict(tower, image_size=side, patch_size=14))).save_pretrained(folder)
    # Padding on the wrong side, as the class that transformers 5 has for it would pad.
    tokenizer(["<pad>", "<eos>", "<bos>", "<unk>"], "$A <eos>", eos_token="<eos>", padding_side="left").save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "size": {"height": side, "width": side}, "resample": 2, "do_resize": True, "do_rescale": True,
        "do_normalize": True, "rescale_factor": 1 / 255, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        "image_processor_type": "SiglipImageProcessor"}))
    return folder


def vjepa2(folder: Path, dimension: int = 1024, side: int = 32) -> Path:
    """V-JEPA 2 with its 1,024 elements, of one layer."""
    torch.manual_seed(3)
    VJEPA2Model(VJEPA2Config(
        crop_size=side, hidden_size=dimension, num_hidden_layers=1, num_attention_heads=16, mlp_ratio=0.25,
        pred_hidden_size=48, pred_num_attention_heads=4, pred_num_hidden_layers=1, frames_per_clip=16,
    )).save_pretrained(folder)
    (folder / "video_preprocessor_config.json").write_text(json.dumps({
        "size": {"shortest_edge": 36}, "crop_size": {"height": side, "width": side}, "resample": 2,
        "rescale_factor": 1 / 255, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}))
    return folder
