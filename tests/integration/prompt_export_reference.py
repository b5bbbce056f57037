"""Class probabilities of pictures by the load_prompts.py that `petlab export RUN` wrote.

    prompt_export_reference.py MODEL_DIR FOLDER[:TASK]... -- PICTURE...

Writes FOLDER/reference.csv: a line holds a picture's probabilities, classes in the order of their names. Before that
it sees to it that another model's weights are refused.
"""

import csv
import importlib.util
import sys
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPModel


def loader_of(folder):
    spec = importlib.util.spec_from_file_location("load_prompts", folder / "load_prompts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expect_refused(loader, folder, model_dir):
    other = CLIPModel.from_pretrained(model_dir)
    with torch.no_grad():
        other.vision_model.embeddings.class_embedding.add_(1.0)
    other.save_pretrained("other")
    for name in Path(model_dir).iterdir():
        if name.suffix == ".json" and not (Path("other") / name.name).exists() or name.suffix in (".txt", ".gz"):
            (Path("other") / name.name).write_bytes(name.read_bytes())
    try:
        loader.PromptedClip(folder, "other")
    except ValueError as error:
        assert "other weights than" in str(error), error
    else:
        raise AssertionError("prompts of another backbone were taken")


def main():
    model_dir, *rest = sys.argv[1:]
    folders, names = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    pictures = [Image.open(name) for name in names]
    for number, place in enumerate(folders):
        folder, _, task = place.partition(":")
        folder = Path(folder)
        loader = loader_of(folder)
        if number == 0:
            expect_refused(loader, folder, model_dir)
        clip = loader.PromptedClip(folder, model_dir)
        classes = clip.classes(task or None)
        order = sorted(range(len(classes)), key=classes.__getitem__)
        probabilities = clip(pictures, task=task or None)
        with open(folder / "reference.csv", "w", newline="") as file:
            csv.writer(file).writerows(probabilities[:, order].tolist())


if __name__ == "__main__":
    main()
