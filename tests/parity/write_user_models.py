"""Models as users of OpenCLIP and transformers have them, with what those libraries make of them.

    write_user_models.py TOKENIZER_DIR OUT_DIR

OUT_DIR then holds a folder for each configuration of OpenCLIP (open_clip_config.json and weights,
among them epoch/, a checkpoint of OpenCLIP's training), with features.json: the reference's features
of one image and of texts, also with prompts; configurations.json: those that OpenCLIP has, by their names;
and tokens-N/ with tokens.json: texts and their tokens for tokenizers with
added tokens.
"""

import json
import shutil
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AddedToken, CLIPTokenizer

import clip_vocabulary


def open_clip_model():
    """open_clip's module `model` without the rest of the package, which needs torchvision."""
    for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchvision.ops.misc"].FrozenBatchNorm2d = torch.nn.Module  # of ResNets alone
    package = types.ModuleType("open_clip")
    package.__path__ = [str(clip_vocabulary.open_clip_folder())]
    sys.modules["open_clip"] = package
    import open_clip.model
    return open_clip.model


TEXTS = ["a photo of a dog.", "mug", "an alarm clock"]
VISION = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8}


def text_cfg(vocab_size, **more):
    return {"context_length": 24, "vocab_size": vocab_size, "width": 32, "heads": 2, "layers": 2, **more}


def pixels():
    return torch.sin(torch.arange(3 * 32 * 32, dtype=torch.float32)).reshape(1, 3, 32, 32)


def prompted(model, ids, prompts):
    """encode_text() with two prompts behind the start token; the sequence keeps its length, and what has an
    id keeps it, so that the pooling finds its place."""
    from open_clip.transformer import text_global_pool
    ids = torch.cat([ids[:, :1], torch.zeros(len(ids), 2, dtype=torch.long), ids[:, 1:-2]], 1)
    x = model.token_embedding(ids)
    x[:, 1:3] = prompts
    x = model.transformer(x + model.positional_embedding, attn_mask=model.attn_mask)
    x = text_global_pool(model.ln_final(x), ids, model.text_pool_type,
                         eos_token_id=getattr(model, "text_eos_id", None))
    projection = model.text_projection
    return projection(x) if isinstance(projection, torch.nn.Linear) else x @ projection


def write_open_clip(tokenizer_dir, out):
    code = open_clip_model()
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_dir)
    size, end = len(tokenizer), tokenizer.eos_token_id
    models = {
        "gelu": (False, {}, {}),
        "quick": (True, {}, {}),
        "epoch": (False, {}, {}),
        "eos": (False, {}, {"pool_type": "eos", "eos_id": end}),
        "short": (True, {"mlp_ratio": 2.0}, {"context_length": 16, "mlp_ratio": 3.0}),
        "long": (False, {"patch_size": 4}, {"context_length": 120}),
        "last": (False, {}, {"pool_type": "last"}),
        "unmasked": (False, {}, {"no_causal_mask": True}),
        "both": (True, {}, {"pool_type": "last", "no_causal_mask": True}),
        "bias": (False, {}, {"proj_bias": True}),
        "scale": (False, {"ls_init_value": 0.1}, {"ls_init_value": 0.2}),
        "tanh": (False, {"act_kwargs": {"approximate": "tanh"}}, {"norm_kwargs": {"eps": 1e-3}}),
    }
    for name, (quick, vision, text) in models.items():
        vision, text = {**VISION, **vision}, text_cfg(size, **text)
        model = code.CLIP(32, code.CLIPVisionCfg(**vision), code.CLIPTextCfg(**text),
                          quick_gelu=quick).eval()
        with torch.no_grad():
            for value in model.parameters():
                if value.dim() > 0:
                    value.copy_(torch.randn_like(value) * 0.1)
        folder = out / name
        folder.mkdir()
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(tokenizer_dir / file, folder / file)
        (folder / "open_clip_config.json").write_text(json.dumps({
            "model_cfg": {"embed_dim": 32, "quick_gelu": quick, "vision_cfg": vision, "text_cfg": text},
            "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 1.0]}}))
        state = {key: value.clone().contiguous() for key, value in model.state_dict().items()}
        if name == "epoch":
            optimizer = torch.optim.AdamW(model.parameters())
            sum(p.sum() for p in model.parameters()).backward()
            optimizer.step()
            torch.save({"epoch": 3, "name": "run", "optimizer": optimizer.state_dict(),
                        "state_dict": {"module." + k: v for k, v in state.items()}},
                       folder / "epoch_3.pt")
            model.load_state_dict(state)
        else:
            save_file(state, folder / "open_clip_model.safetensors")
        ids = torch.zeros(len(TEXTS), text["context_length"], dtype=torch.long)
        for row, one in zip(ids, TEXTS):
            tokens = tokenizer(one).input_ids[:text["context_length"]]
            row[:len(tokens)] = torch.tensor(tokens)
        prompts = torch.sin(torch.arange(2 * text["width"], dtype=torch.float32)).reshape(2, -1)
        with torch.no_grad():
            (folder / "features.json").write_text(json.dumps({
                "texts": TEXTS, "text_features": model.encode_text(ids).tolist(),
                "prompted_features": prompted(model, ids, prompts).tolist(),
                "image_features": model.encode_image(pixels()).tolist()}))


def write_tokens(tokenizer_dir, out):
    texts = ["a <cat-toy> on a Bird", "birds and Bird", "hotdog dog dogs", "<CAT-TOY>", "KEEP keep",
             "upkeep, Keep", "a new york mug", "new york-style", "New  York", "caf\u00e9 cafe\u0301",
             "_dog_ dog's", "<|startoftext|>dog<|endoftext|>", "<a><ab>", "solo solos (solo) \u00e9solo"]
    sets = [
        [AddedToken("<cat-toy>"), AddedToken("Bird"), AddedToken("dog")],
        [AddedToken("dog", special=True, normalized=False), AddedToken("KEEP", normalized=False),
         AddedToken("<a>"), AddedToken("<a><ab>")],
        [AddedToken("solo", single_word=True), AddedToken("new york"), AddedToken("caf\u00e9"),
         AddedToken("keep", single_word=True, normalized=False)],
    ]
    for i, added in enumerate(sets):
        tokenizer = CLIPTokenizer.from_pretrained(tokenizer_dir)
        tokenizer.add_tokens(added)
        folder = out / f"tokens-{i}"
        tokenizer.save_pretrained(folder)
        again = CLIPTokenizer.from_pretrained(folder)
        (folder / "tokens.json").write_text(json.dumps(
            [{"text": text, "ids": again(text).input_ids} for text in texts]))


def main():
    tokenizer_dir, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.manual_seed(20240502)
    torch.set_num_threads(1)
    # Before the package is taken apart.
    folder = clip_vocabulary.open_clip_folder() / "model_configs"
    (out / "configurations.json").write_text(json.dumps(
        {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}))
    write_open_clip(tokenizer_dir, out)
    write_tokens(tokenizer_dir, out)


if __name__ == "__main__":
    main()
