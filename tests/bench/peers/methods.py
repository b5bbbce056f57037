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
    "zero-shot": lambda a, batched: ([], []),
    "full-fine-tuning": lambda a, batched: ([], []),
}
TOUCHES_TEXT = {"mmap", "maple", "coop", "text-prompt", "full-fine-tuning"}
TOUCHES_VISION = {"mmap", "maple", "vpt-deep", "vision-prompt", "full-fine-tuning"}


def composed(method, adapters, batched):
    """Prompts of a task: those of its adapters side by side, the group's first."""
    parts = [METHODS[method](adapter, batched) for adapter in adapters]
    if len(parts) == 1:
        return parts[0]
    return tuple([torch.cat(layer) for layer in zip(*tower)] for tower in zip(*parts))


def optimizer_of(spec, parameters, strong):
    # Plain loops are the default on a CPU; `fused` is one kernel for all parameters.
    more = {"fused": True} if strong else {}
    if spec["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=spec["learning_rate"], momentum=spec["momentum"],
                               weight_decay=spec["weight_decay"], **more)
    return torch.optim.AdamW(parameters, lr=spec["learning_rate"],
                             weight_decay=spec["weight_decay"], **more)
