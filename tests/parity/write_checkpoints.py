"""Writes one seeded random CLIP in every layout that petlab reads, and what transformers makes of
configurations that leave things out.

    write_checkpoints.py TOKENIZER_DIR OUT_DIR

OUT_DIR then holds, with the same weights: hugging-face/, sharded/, bf16/ (rounded), open-clip/,
open-clip-text/ (text tower in a module of its own, no configuration), openai/ViT-B-16.pt (a
TorchScript archive with OpenAI's names and types); tokenizer-json/, tokenizer-json-old/ with both
spellings of merges; and configs/N/config.json with configs.json, the values that CLIPConfig has.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

VISION = dict(hidden_size=128, num_hidden_layers=3, num_attention_heads=2, intermediate_size=512,
              image_size=32, patch_size=8)
TEXT = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=256,
            max_position_embeddings=24)
EMBED = 48


def make_model(vocab_size):
    model = CLIPModel(CLIPConfig(
        vision_config=VISION, text_config=dict(vocab_size=vocab_size, eos_token_id=2, **TEXT),
        projection_dim=EMBED)).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn_like(value) * 0.1)
            value.copy_(value.half().float())  # so that fp16 loses nothing
    return model


def openai_names(state):
    """The same weights as openai/CLIP's state_dict() has them."""
    new = {"logit_scale": state["logit_scale"],
           "text_projection": state["text_projection.weight"].t(),
           "visual.proj": state["visual_projection.weight"].t(),
           "token_embedding.weight": state["text_model.embeddings.token_embedding.weight"],
           "positional_embedding": state["text_model.embeddings.position_embedding.weight"],
           "visual.class_embedding": state["vision_model.embeddings.class_embedding"],
           "visual.conv1.weight": state["vision_model.embeddings.patch_embedding.weight"],
           "visual.positional_embedding": state["vision_model.embeddings.position_embedding.weight"]}
    for kind in ("weight", "bias"):
        new[f"ln_final.{kind}"] = state[f"text_model.final_layer_norm.{kind}"]
        new[f"visual.ln_pre.{kind}"] = state[f"vision_model.pre_layrnorm.{kind}"]
        new[f"visual.ln_post.{kind}"] = state[f"vision_model.post_layernorm.{kind}"]
        for there, here, layers in (("vision_model", "visual.transformer", VISION),
                                    ("text_model", "transformer", TEXT)):
            for i in range(layers["num_hidden_layers"]):
                old, block = f"{there}.encoder.layers.{i}", f"{here}.resblocks.{i}"
                new[f"{block}.attn.in_proj_{kind}"] = torch.cat(
                    [state[f"{old}.self_attn.{part}_proj.{kind}"] for part in "qkv"])
                for source, target in (("self_attn.out_proj", "attn.out_proj"),
                                       ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
                                       ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                    new[f"{block}.{target}.{kind}"] = state[f"{old}.{source}.{kind}"]
    return {name: value.detach().clone().contiguous() for name, value in new.items()}


class Node(torch.nn.Module):
    pass


class Root(torch.nn.Module):
    def forward(self, x):
        return x


def as_module(state):
    """A module whose state_dict() is `state`, for torch.jit."""
    root = Root()
    for name, value in state.items():
        *path, last = name.split(".")
        place = root
        for i, part in enumerate(path):
            if part not in place._modules:
                is_list = i + 1 < len(path) and path[i + 1] == "0"
                place.add_module(part, torch.nn.ModuleList() if is_list else Node())
            place = place._modules[part]
        place.register_parameter(last, torch.nn.Parameter(value))
    for name, value in (("input_resolution", 32), ("context_length", 24), ("vocab_size", len(state["token_embedding.weight"]))):
        root.register_buffer(name, torch.tensor(value))
    return root


def half_where_openai_has_it(name, value):
    """convert_weights() of openai/CLIP leaves norms and embeddings as fp32."""
    stays = ".ln_" in name or name.startswith("ln_") or "embedding" in name or name == "logit_scale"
    return value if stays else value.half()


def copy_tokenizer(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(source / name, target / name)


def write_models(tokenizer_dir, out):
    vocab_size = len(json.loads((tokenizer_dir / "vocab.json").read_text()))
    model = make_model(vocab_size)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    for folder, dtype, size in (("hugging-face", torch.float16, "5GB"),
                                ("sharded", torch.float32, "300KB"),
                                ("bf16", torch.bfloat16, "5GB")):
        copy_tokenizer(tokenizer_dir, out / folder)
        make_like = CLIPModel(model.config)
        make_like.load_state_dict(model.state_dict())
        make_like.to(dtype).save_pretrained(out / folder, max_shard_size=size)
        processor.save_pretrained(out / folder)
    assert len(list((out / "sharded").glob("*.safetensors"))) > 2

    state = openai_names(model.state_dict())
    copy_tokenizer(tokenizer_dir, out / "open-clip")
    save_file(state, out / "open-clip" / "open_clip_model.safetensors")
    (out / "open-clip" / "open_clip_config.json").write_text(json.dumps({
        "model_cfg": {"embed_dim": EMBED, "quick_gelu": True,
                      "vision_cfg": {"image_size": 32, "layers": 3, "width": 128, "patch_size": 8},
                      "text_cfg": {"context_length": 24, "vocab_size": vocab_size, "width": 64,
                                   "heads": 1, "layers": 2}},
        "preprocess_cfg": {"mean": [0.48145466, 0.4578275, 0.40821073],
                           "std": [0.26862954, 0.26130258, 0.27577711],
                           "interpolation": "bicubic", "resize_mode": "shortest"}}))

    text = ("token_embedding", "positional_embedding", "ln_final", "text_projection", "transformer.")
    renamed = {("text." + name if name.startswith(text) else name): value.half()
               for name, value in state.items()}
    renamed["text.attn_mask"] = torch.zeros(24, 24)
    copy_tokenizer(tokenizer_dir, out / "open-clip-text")
    save_file(renamed, out / "open-clip-text" / "open_clip_model.safetensors")

    archive = out / "openai"
    archive.mkdir(parents=True)
    halves = {name: half_where_openai_has_it(name, value) for name, value in state.items()}
    torch.jit.script(as_module(halves)).save(archive / "ViT-B-16.pt")
    assert set(torch.jit.load(archive / "ViT-B-16.pt").state_dict()) >= set(state)
    # OpenAI's file of merges is longer than the vocabulary.
    merges = (tokenizer_dir / "merges.txt").read_text().splitlines()[1:]
    lines = ['"bpe_simple_vocab_16e6.txt#version: 0.2'] + merges + ["a b", "b c"]
    with gzip.open(archive / "bpe_simple_vocab_16e6.txt.gz", "wt", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def write_tokenizers(tokenizer_dir, out):
    CLIPTokenizer.from_pretrained(tokenizer_dir).save_pretrained(out / "tokenizer-json")
    content = json.loads((out / "tokenizer-json" / "tokenizer.json").read_text())
    assert isinstance(content["model"]["merges"][0], list)
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    # Marks may stand among the added tokens only.
    del content["model"]["vocab"]["<|endoftext|>"]
    (out / "tokenizer-json-old").mkdir()
    (out / "tokenizer-json-old" / "tokenizer.json").write_text(json.dumps(content))


CONFIGS = [
    {},
    {"text_config": None, "vision_config": None, "projection_dim": 256},
    # openai/clip-vit-base-patch16, as published
    {"projection_dim": 512, "logit_scale_init_value": 2.6592,
     "text_config": {"hidden_size": 512, "intermediate_size": 2048, "num_attention_heads": 8,
                     "num_hidden_layers": 12, "bos_token_id": 0, "eos_token_id": 2},
     "text_config_dict": None,
     "vision_config": {"hidden_size": 768, "patch_size": 16}, "vision_config_dict": None},
    # openai/clip-vit-large-patch14: both spellings
    {"projection_dim": 768,
     "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12,
                     "bos_token_id": 0, "eos_token_id": 2},
     "text_config_dict": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12,
                          "num_hidden_layers": 12, "projection_dim": 768},
     "vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
                       "num_hidden_layers": 24, "patch_size": 14},
     "vision_config_dict": {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
                            "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768}},
    # The older spelling alone, and one that contradicts the newer.
    {"text_config_dict": {"hidden_size": 256, "num_attention_heads": 4}},
    {"vision_config": {"hidden_size": 1024, "num_attention_heads": 16, "image_size": 336},
     "vision_config_dict": {"patch_size": 14}},
    {"text_config_dict": {}, "text_config": {"hidden_size": 1024, "hidden_act": "gelu"}},
    # Other makers
    {"projection_dim": 1024,
     "text_config": {"hidden_act": "gelu", "hidden_size": 1024, "num_attention_heads": 16,
                     "num_hidden_layers": 24, "intermediate_size": 4096, "eos_token_id": 49407},
     "vision_config": {"hidden_act": "gelu", "hidden_size": 1280, "num_attention_heads": 16,
                       "num_hidden_layers": 32, "intermediate_size": 5120, "patch_size": 14}},
    {"projection_dim": 512,
     "text_config": {"hidden_size": 256, "num_attention_heads": 4, "num_hidden_layers": 3,
                     "intermediate_size": 1024, "layer_norm_eps": 1e-6},
     "vision_config": {"hidden_size": 256, "num_attention_heads": 4, "num_hidden_layers": 10,
                       "intermediate_size": 1024, "patch_size": 16}},
    {"logit_scale_init_value": 4, "text_config": {"max_position_embeddings": 64, "vocab_size": 1000,
                                                  "eos_token_id": 999, "bos_token_id": 998}},
]


def write_configs(out):
    resolved = []
    for i, content in enumerate(CONFIGS):
        folder = out / "configs" / str(i)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"model_type": "clip", **content}))
        config = CLIPConfig.from_pretrained(folder)
        values = {"projection_dim": config.projection_dim,
                  "logit_scale_init_value": float(config.logit_scale_init_value)}
        for name, section in (("text", config.text_config), ("vision", config.vision_config)):
            for key in ("hidden_size", "num_hidden_layers", "num_attention_heads",
                        "intermediate_size", "hidden_act", "layer_norm_eps"):
                values[f"{name}.{key}"] = getattr(section, key)
        for key in ("max_position_embeddings", "vocab_size", "eos_token_id", "bos_token_id"):
            values[key] = getattr(config.text_config, key)
        for key in ("image_size", "patch_size"):
            values[key] = getattr(config.vision_config, key)
        resolved.append(values)
    (out / "configs.json").write_text(json.dumps(resolved))


def main():
    tokenizer_dir, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.manual_seed(20240501)
    torch.set_num_threads(1)
    write_models(tokenizer_dir, out)
    write_tokenizers(tokenizer_dir, out)
    write_configs(out)


if __name__ == "__main__":
    main()
