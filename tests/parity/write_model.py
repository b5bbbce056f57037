"""Writes a seeded random CLIP of transformers, inputs, and what they must give.

    write_model.py TOKENIZER_DIR OUT_DIR KIND...

Kinds with CLIP's real vocabulary write that instead of taking TOKENIZER_DIR's. OUT_DIR/KIND then
holds a model directory in the Hugging Face layout, texts.json and expected.safetensors. The features and zero-shot logits are those of transformers' CLIPModel; what it
cannot do (prompts) comes from reference_clip.py, which is first compared with CLIPModel, and with
prompts with hooked_clip.py, which sends them through transformers' modules.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

import clip_vocabulary
import hooked_clip
import reference_clip

KINDS = {
    "quick-gelu": dict(vision=(64, 3, 4, 256), text=(48, 2, 4, 192), act="quick_gelu", image=32,
                       patch=8, embed=40, context=24, eos="real", eps=1e-5),
    # Sizes without common factors, an image that is no multiple of the patch, the old end token.
    "gelu": dict(vision=(48, 2, 3, 96), text=(64, 3, 4, 160), act="gelu", image=36, patch=8,
                 embed=56, context=28, eos=2, eps=1e-6),
    "half": dict(vision=(64, 2, 4, 128), text=(48, 2, 4, 128), act="quick_gelu", image=32,
                 patch=16, embed=32, context=24, eos="real", eps=1e-5, dtype=torch.float16),
    "bfloat": dict(vision=(48, 3, 3, 96), text=(64, 2, 4, 160), act="gelu", image=24, patch=8,
                   embed=64, context=20, eos="real", eps=1e-5, dtype=torch.bfloat16),
    # ViT-L/14 at 336 pixels, with two layers a tower.
    "l14-336": dict(vision=(1024, 2, 16, 4096), text=(768, 2, 12, 3072), act="quick_gelu", image=336,
                    patch=14, embed=768, context=77, eos="real", eps=1e-5, images=2),
    # OpenAI's models, whose configurations say 2, and one that names the true end token.
    "vit-b16": dict(vision=(768, 12, 12, 3072), text=(512, 12, 8, 2048), act="quick_gelu",
                    image=224, patch=16, embed=512, context=77, eos=2, eps=1e-5, images=2,
                    real_vocabulary=True),
    "vit-b32": dict(vision=(768, 12, 12, 3072), text=(512, 12, 8, 2048), act="quick_gelu",
                    image=224, patch=32, embed=512, context=77, eos="real", eps=1e-5, images=2,
                    real_vocabulary=True),
}
# Features as alike as this would hide mistakes.
MOST_ALIKE = 0.95
TEXTS = ["dog", "a photo of an alarm clock.", "bed in a room", "the calculator", "red bicycle, painted",
         "it's an old fan!", "7 candles"]


def tower(spec, kind, **more):
    width, layers, heads, mlp = spec
    return dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                intermediate_size=mlp, hidden_act=kind["act"], layer_norm_eps=kind["eps"],
                projection_dim=kind["embed"], **more)


def make_model(kind, tokenizer):
    config = CLIPConfig(
        vision_config=tower(kind["vision"], kind, image_size=kind["image"], patch_size=kind["patch"]),
        text_config=tower(kind["text"], kind, vocab_size=len(tokenizer),
                          max_position_embeddings=kind["context"],
                          bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id,
                          eos_token_id=tokenizer.eos_token_id if kind["eos"] == "real" else 2),
        projection_dim=kind["embed"],
    )
    model = CLIPModel(config).eval()
    # Biases start as 0 and norms as 1, and attention looks everywhere alike: that would hide
    # mistakes.
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.normal_(0, 0.05)
            elif "norm" in name:
                value.add_(torch.randn_like(value) * 0.1)
            elif "q_proj" in name or "k_proj" in name:
                value.mul_(4)
            elif "v_proj" in name:
                value.mul_(8)
    return model


def make_pixels(count, side):
    """Noise over a colour and a slope that differ from picture to picture."""
    slope = torch.linspace(-1, 1, side)
    down, across, colour = (torch.randn(count, 3, 1, 1) for _ in range(3))
    return (torch.randn(count, 3, side, side) * 0.5 + colour
            + down * slope.view(1, 1, side, 1) + across * slope.view(1, 1, 1, side))


def check_different(name, features):
    alike = (features @ features.T - 2 * torch.eye(len(features))).max().item()
    print(f"{name}: cosine of at most {alike:.3f} between two")
    assert alike < MOST_ALIKE, f"two {name} have the cosine {alike}"


def prompts_of(width, layers, n):
    return {layer: (torch.randn(n, width) * 0.5).requires_grad_() for layer in layers}


def write(kind, tokenizer_dir, out):
    torch.manual_seed(20240131)
    out.mkdir(parents=True, exist_ok=True)
    if kind.get("real_vocabulary"):
        clip_vocabulary.write(out)
    else:
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
            shutil.copy(tokenizer_dir / name, out / name)
    tokenizer = CLIPTokenizer.from_pretrained(out)
    model = make_model(kind, tokenizer).to(kind.get("dtype", torch.float32))
    model.save_pretrained(out)
    model = model.float()
    CLIPImageProcessor(size={"shortest_edge": kind["image"]},
                       crop_size={"height": kind["image"], "width": kind["image"]}).save_pretrained(out)

    (out / "texts.json").write_text(json.dumps(TEXTS))
    context = kind["context"]
    tokens = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=context,
                       return_tensors="pt")
    ids = tokens.input_ids
    eot = (ids == tokenizer.eos_token_id).int().argmax(-1)
    pixels = make_pixels(kind.get("images", 5), kind["image"])
    expected = {"pixels": pixels, "ids": ids, "eot": eot}

    with torch.no_grad():
        result = model(input_ids=ids, pixel_values=pixels)
        expected["image_features"] = result.image_embeds
        expected["text_features"] = result.text_embeds
        expected["logits"] = result.logits_per_image
    check_different("pictures", result.image_embeds)
    check_different("texts", result.text_embeds)

    state = dict(model.named_parameters())
    vision_config, text_config = model.config.vision_config, model.config.text_config

    def vision(prompts=None):
        return reference_clip.vision(state, vision_config, pixels, prompts)

    def text(prompts=None):
        n = prompts[min(prompts)].shape[0] if prompts else 0
        return reference_clip.text(state, text_config, ids[:, : context - n], eot, prompts)

    images, classes = vision(), text()
    for ours, theirs in ((images, result.image_embeds), (classes, result.text_embeds)):
        difference = (reference_clip.unit(ours) - theirs).abs().max().item()
        assert difference < 1e-5, f"the reference differs from CLIPModel by {difference}"

    # The loss of every gradient: a fixed random weighting of the logits.
    weighting = torch.randn(len(pixels), len(TEXTS))
    expected["weighting"] = weighting

    def loss(images, classes):
        return (reference_clip.logits(state, images, classes) * weighting).sum()

    trained = [
        "logit_scale", "text_projection.weight", "visual_projection.weight",
        "text_model.embeddings.token_embedding.weight",
        "text_model.embeddings.position_embedding.weight",
        "text_model.encoder.layers.0.self_attn.q_proj.weight",
        "text_model.encoder.layers.1.self_attn.v_proj.bias",
        "text_model.final_layer_norm.weight",
        "vision_model.embeddings.class_embedding",
        "vision_model.embeddings.patch_embedding.weight",
        "vision_model.pre_layrnorm.bias",
        "vision_model.encoder.layers.0.mlp.fc1.weight",
        "vision_model.encoder.layers.1.self_attn.k_proj.weight",
    ]
    for name, gradient in zip(trained, torch.autograd.grad(loss(images, classes), [state[n] for n in trained])):
        expected[f"weight_gradient.{name}"] = gradient
    images, classes = images.detach(), classes.detach()

    text_layers, vision_layers = kind["text"][1], kind["vision"][1]
    cases = {
        "text_shallow": (text, prompts_of(kind["text"][0], [0], 4)),
        "text_deep": (text, prompts_of(kind["text"][0], range(text_layers), 3)),
        "text_half_deep": (text, prompts_of(kind["text"][0], range(text_layers - 1), 2)),
        "vision_shallow": (vision, prompts_of(kind["vision"][0], [0], 4)),
        "vision_deep": (vision, prompts_of(kind["vision"][0], range(vision_layers), 5)),
        "vision_late": (vision, prompts_of(kind["vision"][0], range(1, vision_layers), 2)),
    }
    def check_with_hooks(name, prompts, features, gradients):
        """transformers' modules must say the same of the prompts as the reference."""
        if name.startswith("text"):
            n = prompts[0].shape[0]
            again = hooked_clip.text(model, ids[:, : context - n], eot, prompts)
            value = loss(images, again)
        else:
            again = hooked_clip.vision(model, pixels, prompts)
            value = loss(again, classes)
        worst = (reference_clip.unit(again) - reference_clip.unit(features)).abs().max().item()
        assert worst < 1e-5, f"{name}: the features of transformers' modules differ by {worst}"
        for layer, other, own in zip(prompts, torch.autograd.grad(value, list(prompts.values())), gradients):
            worst = ((other - own).abs().max() / own.abs().max()).item()
            assert worst < 5e-5, f"{name}, layer {layer}: the gradients of transformers' modules differ by {worst}"

    for name, (run, prompts) in cases.items():
        features = run(prompts)
        value = loss(images, features) if run is text else loss(features, classes)
        gradients = torch.autograd.grad(value, list(prompts.values()))
        if 0 in prompts:
            check_with_hooks(name, prompts, features, gradients)
        expected[f"{name}.features"] = reference_clip.unit(features).detach()
        for (layer, prompt), gradient in zip(prompts.items(), gradients):
            expected[f"{name}.prompt.{layer}"] = prompt.detach()
            expected[f"{name}.gradient.{layer}"] = gradient
    save_file({name: value.contiguous() for name, value in expected.items()}, out / "expected.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    for name in sys.argv[3:]:
        write(KINDS[name], Path(sys.argv[1]), Path(sys.argv[2]) / name)
