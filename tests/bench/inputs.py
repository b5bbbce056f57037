"""What all sides of the benchmark work on: a CLIP with seeded random weights, pictures, classes.

    inputs.py FOLDER tiny|vit-b16
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parity"))
import clip_vocabulary  # noqa: E402

TASKS = ["Art", "Clipart", "Product", "Real World"]
# Office-Home's (Venkateswara et al., 2017), as they stand in prompts.
CLASSES = """Alarm Clock,Backpack,Batteries,Bed,Bike,Bottle,Bucket,Calculator,Calendar,Candles,Chair,Clipboards,
Computer,Couch,Curtains,Desk Lamp,Drill,Eraser,Exit Sign,Fan,File Cabinet,Flipflops,Flowers,Folder,Fork,Glasses,
Hammer,Helmet,Kettle,Keyboard,Knives,Lamp Shade,Laptop,Marker,Monitor,Mop,Mouse,Mug,Notebook,Oven,Pan,Paper Clip,
Pen,Pencil,Postit Notes,Printer,Push Pin,Radio,Refrigerator,Ruler,Scissors,Screwdriver,Shelf,Sink,Sneakers,Soda,
Speaker,Spoon,Table,Telephone,ToothBrush,Toys,Trash Can,TV,Webcam""".replace("\n", "").split(",")
SIZES = {
    "tiny": dict(vision=(64, 2, 2, 128), text=(48, 2, 2, 96), image=32, patch=8, embed=32),
    "vit-b16": dict(vision=(768, 12, 12, 3072), text=(512, 12, 8, 2048), image=224, patch=16, embed=512),
}
PICTURES = 32  # of a task


def write_model(size, folder):
    """Stored as fp16. Attention looks somewhere and biases are not 0, so that a mistake shows."""
    from transformers import CLIPConfig, CLIPModel

    clip_vocabulary.write(folder)
    torch.manual_seed(20240607)
    towers = {name: dict(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                         intermediate_size=mlp, hidden_act="quick_gelu", projection_dim=size["embed"])
              for name, (width, layers, heads, mlp) in (("vision", size["vision"]), ("text", size["text"]))}
    towers["vision"].update(image_size=size["image"], patch_size=size["patch"])
    towers["text"].update(vocab_size=clip_vocabulary.SIZE, max_position_embeddings=77,
                          bos_token_id=49406, eos_token_id=49407, pad_token_id=49407)
    model = CLIPModel(CLIPConfig(vision_config=towers["vision"], text_config=towers["text"],
                                 projection_dim=size["embed"]))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.normal_(0, 0.05)
            elif "norm" in name:
                value.add_(torch.randn_like(value) * 0.1)
            elif "q_proj" in name or "k_proj" in name:
                value.mul_(3)
            elif "v_proj" in name:
                value.mul_(4)
    model.half().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(
        dict(crop_size=size["image"], size=size["image"], do_center_crop=True, do_resize=True, do_normalize=True,
             resample=3, image_mean=[0.48145466, 0.4578275, 0.40821073],
             image_std=[0.26862954, 0.26130258, 0.27577711])))


def write_pictures(side, file):
    generator = torch.Generator().manual_seed(11)
    pixels = torch.randint(0, 256, (len(TASKS), PICTURES, 3, side, side), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, len(CLASSES), (len(TASKS), PICTURES), generator=generator)
    save_file({"pixels": pixels, "labels": labels}, file)


def prepare(folder, kind):
    """Writes what is missing; the model directory and the file of pictures."""
    model, pictures = folder / kind, folder / f"{kind}.safetensors"
    if not (model / "preprocessor_config.json").is_file():
        model.mkdir(parents=True, exist_ok=True)
        write_model(SIZES[kind], model)
    if not pictures.is_file():
        write_pictures(SIZES[kind]["image"], pictures)
    return model, pictures


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), sys.argv[2])
