"""Weights of a model directory in the Hugging Face layout, and the shapes of its towers."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

TOWERS = {"vision": "vision_model", "text": "text_model"}
BLOCK = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
         "layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2")


@dataclass
class Shape:
    width: int
    layers: int
    heads: int
    mlp: int
    eps: float


class Weights:
    def __init__(self, folder):
        folder = Path(folder)
        config = json.loads((folder / "config.json").read_text())
        self.vision = self._shape(config["vision_config"])
        self.text = self._shape(config["text_config"])
        for tower in ("vision_config", "text_config"):
            assert config[tower].get("hidden_act", "quick_gelu") == "quick_gelu", \
                "the peers have CLIP's activation only"
        self.patch = config["vision_config"]["patch_size"]
        self.image = config["vision_config"]["image_size"]
        self.context = config["text_config"].get("max_position_embeddings", 77)
        self.embed = config["projection_dim"]
        self.values = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
        preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
        self.mean = torch.tensor(preprocessor["image_mean"]).view(3, 1, 1)
        self.std = torch.tensor(preprocessor["image_std"]).view(3, 1, 1)

    @staticmethod
    def _shape(config):
        return Shape(config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"],
                     config["intermediate_size"], config.get("layer_norm_eps", 1e-5))

    def take(self, name):
        """The tensor of a name, which is then dropped here: a process holds its weights once."""
        return self.values.pop(name)

    def block(self, tower, layer):
        """{"self_attn.q_proj": (weight, bias), ...} of one layer."""
        prefix = f"{TOWERS[tower]}.encoder.layers.{layer}."
        return {part: (self.take(f"{prefix}{part}.weight"), self.take(f"{prefix}{part}.bias")) for part in BLOCK}


def block_names(tower, layer):
    return [f"{TOWERS[tower]}.encoder.layers.{layer}.{part}.{kind}" for part in BLOCK
            for kind in ("weight", "bias")]
