"""What a method's parameters make of the two towers, and its optimizer: (text, image) prompts, a list
with one tensor [n, width] a layer each. The published forms go layer by layer, as the repositories
do; `batched` ones make all layers at once.
"""

import torch
import torch.nn.functional as F


def mmap(a, batched):
    if batched:
        def prompts(scales):
            n = min(len(scales), len(a["source"]))
            source = a["source"][:n]
            whole = scales[:n, :, None, :, None] * source[:, None, :, None, :]
            return list(whole.flatten(3, 4).flatten(1, 2))
    else:
        def prompts(scales):
            return [torch.kron(k, p) for k, p in zip(scales, a["source"])]
    return prompts(a["text-scales"]), prompts(a["vision-scales"])


def maple(a, batched):
    text = a["text-prompts"]
    if batched:
        return list(text), list(torch.baddbmm(a["coupling-bias"].unsqueeze(1), text,
                                              a["coupling"].transpose(1, 2)))
    return list(text), [F.linear(*layer) for layer in zip(text, a["coupling"], a["coupling-bias"])]


METHODS = {
    "mmap": mmap,
    "maple": maple,
    "coop": lambda a, batched: ([a["context"]], []),
    "vpt-deep": lambda a, batched: ([], list(a["prompts"])),
    "vision-prompt": lambda a, batched: ([], list(a["prompts"])),
    "text-prompt": lambda a, batched: (list(a["prompts"]), []),
    "lora": lambda a, batched: ([], []),  # no prompts: attach_lora()
    "zero-shot": lambda a, batched: ([], []),
    "full-fine-tuning": lambda a, batched: ([], []),
}
TOUCHES_TEXT = {"mmap", "maple", "coop", "text-prompt", "lora", "full-fine-tuning"}
TOUCHES_VISION = {"mmap", "maple", "vpt-deep", "vision-prompt", "lora", "full-fine-tuning"}


def composed(method, adapters, batched):
    """Prompts of a task: those of its adapters side by side, the group's first."""
    parts = [METHODS[method](adapter, batched) for adapter in adapters]
    if len(parts) == 1:
        return parts[0]
    return tuple([torch.cat(layer) for layer in zip(*tower)] for tower in zip(*parts))


LORA_SCALE = 1 / 2**0.5  # alpha 1, rank 2, over the root of the rank, as CLIP-LoRA has it


class LoRA:
    """Low-rank changes of a block's queries, keys and values."""

    def __init__(self, parts):
        self.down = [parts[f"{name}.down"] for name in "qkv"]
        self.up = [parts[f"{name}.up"] for name in "qkv"]

    def __call__(self, x):
        """[..., 3 width]: what is added to the fused maps' output."""
        return torch.cat([F.linear(F.linear(x, down), up) for down, up in zip(self.down, self.up)], -1) * LORA_SCALE


def attach_lora(model, adapter):
    """Gives the blocks their changes; returns the first block that has one, of the image and of the text tower."""
    first = []
    for name, tower in (("vision", model.vision), ("text", model.text)):
        layers = sorted({int(key.split(".")[1]) for key in adapter if key.startswith(name + ".")})
        for layer in layers:
            own = f"{name}.{layer}."
            tower.blocks[layer].lora = LoRA({key[len(own):]: value for key, value in adapter.items()
                                             if key.startswith(own)})
        first.append(layers[0])
    return first


def optimizer_of(spec, parameters, strong):
    # Plain loops are the default on a CPU; `fused` is one kernel for all parameters.
    more = {"fused": True} if strong else {}
    if spec["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=spec["learning_rate"], momentum=spec["momentum"],
                               weight_decay=spec["weight_decay"], **more)
    return torch.optim.AdamW(parameters, lr=spec["learning_rate"],
                             weight_decay=spec["weight_decay"], **more)
