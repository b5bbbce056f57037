"""Features of transformers' CLIPProcessor and CLIPModel, as rows of the CSV of `petlab clip embed`.

    clip_reference.py MODEL_DIR OUT.csv --image FILE... --text TEXT...
"""

import argparse
import csv

import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPProcessor, CLIPTokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--image", nargs="+")
    parser.add_argument("--text", nargs="+")
    given = parser.parse_args()
    model = CLIPModel.from_pretrained(given.model, dtype=torch.float32).eval()
    processor = CLIPProcessor(CLIPImageProcessorPil.from_pretrained(given.model), CLIPTokenizer.from_pretrained(given.model))
    context = model.config.text_config.max_position_embeddings
    rows = []
    with torch.no_grad():
        for kind, names in (("image", given.image), ("text", given.text)):
            for name in names:
                if kind == "image":
                    features = model.get_image_features(**processor(images=Image.open(name).convert("RGB"), return_tensors="pt"))
                else:
                    tokens = processor(text=name, truncation=True, max_length=context, return_tensors="pt")
                    features = model.get_text_features(**tokens)
                features = getattr(features, "pooler_output", features)[0]
                norm = features.norm()
                rows.append([kind, name, norm.item(), *(features / norm).tolist()])
    with open(given.out, "w", newline="") as file:
        csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main()
