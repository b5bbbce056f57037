"""Prompts that `petlab export RUN` wrote, on transformers' CLIPModel.

    from load_prompts import PromptedClip

    clip = PromptedClip("prompts-shared", "openai/clip-vit-base-patch16")  # the model: a name or a folder
    probabilities = clip([Image.open("cup.jpg")])                          # [images, classes]
    names = clip.classes()

A folder of several tasks has a list of classes for each: clip(images, task="art"). Other classes can be asked for,
clip(images, classes=["a dog", "a cat"]), where the prompts are not of a class each. Needs torch, transformers and
safetensors. prompts.json says what the prompts are of; petlab's harness/app/README.md describes both files.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import linear, normalize
from transformers import CLIPModel, CLIPTokenizer

try:
    from transformers import CLIPImageProcessorPil as ImageProcessor  # resizes as Pillow does, in version 5
except ImportError:
    from transformers import CLIPImageProcessor as ImageProcessor


class PromptedClip:
    def __init__(self, folder, model, device="cpu"):
        self.about = json.loads((Path(folder) / "prompts.json").read_text(encoding="utf-8"))
        tensors = load_file(Path(folder) / "prompts.safetensors", device=device)
        self.model = CLIPModel.from_pretrained(model).float().eval().to(device)
        self.tokenizer, self.processor = CLIPTokenizer.from_pretrained(model), ImageProcessor.from_pretrained(model)
        vision, text = self.model.vision_model, self.model.text_model
        expected, found = tensors.pop("backbone.class_embedding"), vision.embeddings.class_embedding
        if expected.shape != found.shape or not torch.allclose(expected, found, atol=1e-3):
            raise ValueError(f"'{model}' has other weights than {self.about['backbone']}, which the prompts are of")
        self.shift = {name: tensors.pop(f"condition.{name}", None) for name in ("down", "down_bias", "up", "up_bias")}
        self.prompts, self.places, self.patches = tensors, None, vision.embeddings.position_embedding.num_embeddings
        vision.embeddings.register_forward_hook(lambda module, given, out: self._into_image(out, 0))
        text.embeddings.token_embedding.register_forward_hook(lambda module, given, out: self._into_text(out, 0))
        for put, tower in (self._into_image, vision), (self._into_text, text):
            for at, layer in list(enumerate(tower.encoder.layers))[1:]:
                layer.register_forward_pre_hook(lambda module, given, put=put, at=at: (put(given[0], at), *given[1:]))

    def _into_image(self, x, layer):  # behind the patches, in place of the prompts of the layer before
        prompts = self.prompts.get(f"vision.{layer}")
        return x if prompts is None else torch.cat([x[:, :self.patches], prompts.to(x.dtype).expand(len(x), -1, -1)], 1)

    def _into_text(self, x, layer):  # where _text_features() left room
        prompts = self.prompts.get(f"text.{layer}")
        return x if prompts is None else x.scatter(1, self.places.expand_as(x[:, :self.places.shape[1]]),
                                                   prompts.to(x.dtype).expand(len(x), -1, -1))

    def _text_features(self, names):
        n = self.prompts["text.0"].shape[-2] if "text.0" in self.prompts else 0
        before = {"end": n, "middle": n // 2, "front": 0}[self.about["class_position"]]  # of n, the class name
        rows, places = [], []
        for name in names:
            ids = self.tokenizer(self.about["text_template"].replace("{}", name)).input_ids
            end = 1 + len(self.tokenizer(name, add_special_tokens=False).input_ids) if before < n else 1
            rows.append(ids[:1] + ids[:1] * before + ids[1:end] + ids[:1] * (n - before) + ids[end:])
            places.append([*range(1, 1 + before), *range(before + end, n + end)])
        rows = [row + row[-1:] * (max(map(len, rows)) - len(row)) for row in rows]
        self.places = torch.tensor(places, device=self.model.device).view(len(names), n, 1)
        features = self.model.text_model(input_ids=torch.tensor(rows, device=self.model.device)).pooler_output
        return normalize(self.model.text_projection(features).float(), dim=-1)

    def _features_for(self, image, names):  # CoCoOp: the prompts follow the image
        own = self.prompts["text.0"]
        hidden = linear(image, self.shift["down"], self.shift["down_bias"]).relu()
        shift = linear(hidden, self.shift["up"], self.shift["up_bias"]).view(-1, own.shape[-1])
        self.prompts = {**self.prompts, "text.0": own + shift}
        features = self._text_features(names)
        self.prompts = {**self.prompts, "text.0": own}
        return features

    def classes(self, task=None):
        tasks = {one["name"]: one["classes"] for one in self.about["tasks"]}
        return tasks[task if task is not None else next(iter(tasks))]

    @torch.no_grad()
    def __call__(self, images, task=None, classes=None):
        names = classes or self.classes(task)
        device, precision = self.model.device, self.about["precision"]
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            pixels = self.processor(images=[image.convert("RGB") for image in images], return_tensors="pt").to(device)
            image_features = self.model.visual_projection(self.model.vision_model(**pixels).pooler_output)
            image_features = normalize(image_features.float(), dim=-1)
            if self.shift["down"] is None:
                cosines = image_features @ self._text_features(names).T
            else:
                cosines = torch.cat([one @ self._features_for(one, names).T for one in image_features.split(1)])
        return (self.model.logit_scale.exp() * cosines.float()).softmax(-1)
