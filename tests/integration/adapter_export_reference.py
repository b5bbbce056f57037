"""Class probabilities of pictures by transformers and PEFT, from what `petlab export RUN` wrote.

    adapter_export_reference.py MODEL_DIR TEMPLATE CLASSES ADAPTER_DIR... -- PICTURE...

ADAPTER_DIR: a PEFT adapter of MODEL_DIR, weights to put into it, or a whole CLIP. CLASSES: names with commas between. Writes
ADAPTER_DIR/reference.csv: a line holds a picture's probabilities in the order of the classes.
"""

import csv
import sys
from pathlib import Path

import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer


def probabilities(model_dir, adapter, texts, pictures):
    is_peft = (adapter / "adapter_config.json").exists()
    changed = adapter / "changed_weights.safetensors"
    base = model_dir if is_peft or changed.exists() else adapter
    model = CLIPModel.from_pretrained(base, dtype=torch.float32)
    processor = CLIPImageProcessorPil.from_pretrained(base)
    tokenizer = CLIPTokenizer.from_pretrained(base)
    if is_peft:
        model = PeftModel.from_pretrained(model, adapter)
    if changed.exists():
        unknown = model.load_state_dict(load_file(changed), strict=False).unexpected_keys
        assert not unknown, unknown
    model.eval()
    context = model.config.text_config.max_position_embeddings
    tokens = tokenizer(texts, truncation=True, max_length=context, padding="max_length", return_tensors="pt")
    images = processor(images=[Image.open(name).convert("RGB") for name in pictures], return_tensors="pt")
    with torch.no_grad():
        return model(**tokens, **images).logits_per_image.softmax(dim=-1)


def main():
    model_dir, template, classes, *rest = sys.argv[1:]
    adapters, pictures = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    texts = [template.replace("{}", name.replace("_", " ")) for name in classes.split(",")]
    for adapter in map(Path, adapters):
        with open(adapter / "reference.csv", "w", newline="") as file:
            csv.writer(file).writerows(probabilities(model_dir, adapter, texts, pictures).tolist())


if __name__ == "__main__":
    main()
