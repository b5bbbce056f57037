"""Small SigLIP models with random weights, and what transformers makes of them.

    write_siglip.py OUT_DIR

OUT_DIR then holds siglip/ (a SentencePiece vocabulary), siglip2/ (Gemma's kind of vocabulary) and odd/ (an
image size that is no multiple of the patch, another projection), each with expected.safetensors: pixels, ids,
features, logits, and features and gradients with prompts at some layers; and with tokens.json: texts and
their ids.
"""

import io
import json
import sys
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import save_file
from tokenizers import Regex, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Backend
from transformers import SiglipConfig, SiglipModel, SiglipTokenizer
from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

TEXTS = ["a photo of a dog", "mug", "an alarm clock with two bells", "A Photo of a CALCULATOR."]
CORPUS = ["a photo of a dog.", "a photo of an alarm clock.", "a photo of a calculator", "a red bicycle",
          "it's a fan, isn't it?", "a bed in a bedroom", "seven candles and one bell", "two mugs on a table",
          "the quick brown fox jumps over the lazy dog", "ein Gl\u00fchwein im Caf\u00e9", "0 1 2 3 4 5 6 7 8 9",
          "\u03bb\u03cc\u03b3\u03bf\u03c2 \u03ba\u03b1\u03af", "\u043f\u0440\u0438\u0432\u0435\u0442"]
STRINGS = CORPUS + TEXTS + [
    "", " ", "  two  blanks ", "\ttab\nline\u2003wide\u00a0hard", "don't stop!", "semi;colon:co,mma-dash_under",
    "UPPER lower MiXed", "caf\u00e9 cafe\u0301 CAF\u00c9", "\u039b\u039f\u0393\u039f\u03a3 \u039a\u0391\u0399 \u03a3",
    "\u0130stanbul", "Stra\u00dfe STRASSE", "\uff21\uff22\uff23 \ufb01n \u2460", "\u4e2d\u6587 \u65e5\u672c\u8a9e",
    "\U0001f600 smile \U0001f468\u200d\U0001f469", "a\u2581b \u2581 c", "<unk", "<html> & &amp;", "x" * 90, "dog " * 40,
    "\u0645\u0631\u062d\u0628\u0627", "\u00ad soft\u200bzero", "100% of 3.14", "#hash @at $5", "\u00bd \u00b2 \u2122",
    "\u1e9e \u01c5 \u0149", "line\r\nbreak", "\x1cunit\x1fsep", "na\u00efve co\u00f6perate", "A.B.C.", "'quoted' \"text\"",
]


def config(vocab_size, **vision):
    return SiglipConfig(
        text_config=dict(vocab_size=vocab_size, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
                         num_attention_heads=4, max_position_embeddings=48, projection_size=40),
        vision_config=dict(dict(hidden_size=40, intermediate_size=56, num_hidden_layers=3,
                                num_attention_heads=4, image_size=32, patch_size=8), **vision))


def sentence_pieces(folder):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 20), model_writer=model, vocab_size=180, model_type="unigram",
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False, character_coverage=0.999,
        minloglevel=2)
    folder.mkdir(parents=True)
    (folder / "spiece.model").write_bytes(model.getvalue())
    tokenizer = SiglipTokenizer(str(folder / "spiece.model"))
    tokenizer.save_pretrained(folder)
    return tokenizer


def gemma_pairs(folder):
    backend = Backend(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "\u2581")])
    # As Gemma's: no pair reaches over a blank but one in front of a word.
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("\u2581"), behavior="merged_with_next")
    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"] + [f"<0x{i:02X}>" for i in range(256)]
    backend.train_from_iterator(CORPUS * 20, trainers.BpeTrainer(vocab_size=420, special_tokens=marks))
    model = json.loads(backend.to_str())["model"]
    tokenizer = Siglip2Tokenizer(vocab=model["vocab"], merges=[tuple(m) for m in model["merges"]],
                                 padding_side="right")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)])
    folder.mkdir(parents=True)
    tokenizer.save_pretrained(folder)
    return Siglip2Tokenizer.from_pretrained(folder)


def encoder(layers, x, prompts, place, has=False):
    """The blocks, with prompts [layer] -> [n, W] at `place`: the first are inserted, unless x `has` some
    already; later ones take their place."""
    for i, layer in enumerate(layers):
        if i in prompts:
            tokens = prompts[i].expand(x.shape[0], -1, -1)
            x = torch.cat([x[:, :place], tokens, x[:, place + (tokens.shape[1] if has else 0):]], 1)
            has = True
        x = layer(x, attention_mask=None)
        x = x[0] if isinstance(x, tuple) else x
    return x


def text_features(model, ids, prompts):
    """Prompts stand in front of the text and take the place of padding, so that the length stays."""
    text = model.text_model
    n = next(iter(prompts.values())).shape[0] if prompts else 0
    x = text.embeddings.token_embedding(ids[:, :ids.shape[1] - n])
    if 0 in prompts:
        x = torch.cat([prompts[0].expand(x.shape[0], -1, -1), x], 1)
    x = x + text.embeddings.position_embedding.weight[:x.shape[1]]
    later = {i: tokens for i, tokens in prompts.items() if i > 0}
    x = encoder(text.encoder.layers, x, later, 0, has=0 in prompts)
    return text.head(text.final_layer_norm(x)[:, -1])


def image_features(model, pixels, prompts):
    vision = model.vision_model
    x = vision.embeddings(pixels)
    patches = x.shape[1]
    y = encoder(vision.encoder.layers, x, prompts, patches)[:, :patches]
    return vision.head(vision.post_layernorm(y))


def prompt_cases(model):
    def draw(width, layers):
        return {i: (torch.randn(3, width) * 0.5).requires_grad_() for i in layers}
    text, vision = model.config.text_config, model.config.vision_config
    return {"text_shallow": draw(text.hidden_size, [0]), "text_deep": draw(text.hidden_size, [0, 1, 2]),
            "text_late": draw(text.hidden_size, [1, 2]), "vision_shallow": draw(vision.hidden_size, [0]),
            "vision_deep": draw(vision.hidden_size, [0, 1, 2]), "vision_late": draw(vision.hidden_size, [1])}


def write(folder, tokenizer, **vision):
    torch.manual_seed(len(folder.name))
    model = SiglipModel(config(len(tokenizer), **vision)).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.randn_like(value) * (0.02 if "logit" in name else 0.2))
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-7.5)
    model.save_pretrained(folder)
    size = model.config.vision_config.image_size
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "SiglipImageProcessor", "do_resize": True, "resample": 2, "do_rescale": True,
        "do_normalize": True, "size": {"height": size, "width": size}, "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}))
    context = model.config.text_config.max_position_embeddings

    def ids_of(texts):
        return torch.tensor([tokenizer(one, padding="max_length", truncation=True, max_length=context).input_ids
                             for one in texts])
    ids = ids_of(TEXTS)
    pixels = torch.randn(5, 3, size, size)
    out = {"pixels": pixels, "ids": ids}
    with torch.no_grad():
        result = model(input_ids=ids, pixel_values=pixels)
        out["image_features"] = model.get_image_features(pixels).pooler_output
        out["text_features"] = model.get_text_features(ids).pooler_output
        out["logits"] = result.logits_per_image
        assert torch.allclose(image_features(model, pixels, {}), out["image_features"], atol=1e-6)
        assert torch.allclose(text_features(model, ids, {}), out["text_features"], atol=1e-6)
    weighting = torch.randn(5, 40)
    out["weighting"] = weighting
    for name, prompts in prompt_cases(model).items():
        if name.startswith("text"):
            features = text_features(model, ids, prompts)
        else:
            features = image_features(model, pixels, prompts)
        (features * weighting[:features.shape[0]]).sum().backward()
        out[f"{name}.features"] = features.detach()
        for layer, tokens in prompts.items():
            out[f"{name}.prompt.{layer}"] = tokens.detach().clone()
            out[f"{name}.gradient.{layer}"] = tokens.grad.clone()
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "expected.safetensors")
    (folder / "tokens.json").write_text(json.dumps(
        [{"text": text, "ids": tokenizer(text).input_ids} for text in STRINGS]))
    (folder / "texts.json").write_text(json.dumps(TEXTS))


def main():
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    write(out / "siglip", sentence_pieces(out / "siglip"))
    write(out / "siglip2", gemma_pairs(out / "siglip2"))
    # 30 pixels in patches of 8: three a side, six pixels are left over.
    write(out / "odd", sentence_pieces(out / "odd"), image_size=30)


if __name__ == "__main__":
    main()
