"""Prompt methods, from their papers: CoOp, VPT and the deep prompts of MaPLe's comparison.

Text prompts take the place of placeholder tokens: their rows in the output of the token embedding
are overwritten (CoOp), and again at the input of each deeper prompted layer (MaPLe). Image prompts
are appended to the embedded image, before the first layer norm; at each deeper prompted layer the
last tokens are overwritten. Two adapters of a task: their prompts side by side.
"""

import torch

from hooked_clip import hooks


def text_with_prompts(clip, texts, layers):
    """Text features with prompts behind the start token; `layers` {layer: [n, width]}."""
    n = layers[0].shape[0]
    placeholder = clip.token_ids(["x"])[0][:1]
    ids = clip.padded([placeholder * n + row for row in clip.token_ids(texts)])

    def put(prompts):
        def change(x):
            return torch.cat([x[:, :1], prompts.expand(len(x), -1, -1), x[:, 1 + n:]], 1)

        return change

    deeper = [(clip.text.encoder.layers[i], put(p)) for i, p in layers.items() if i > 0]
    with hooks(deeper, [(clip.text.embeddings.token_embedding, put(layers[0]))]):
        return clip.encode_ids(ids)


def images_with_prompts(clip, pixels, layers):
    """Image features with prompts behind the patches; `layers` {layer: [n, width]}."""
    n = layers[0].shape[0]

    def append(x):
        return torch.cat([x, layers[0].expand(len(x), -1, -1)], 1)

    def replace(prompts):
        return lambda x: torch.cat([x[:, :-n], prompts.expand(len(x), -1, -1)], 1)

    deeper = [(clip.vision.encoder.layers[i], replace(p)) for i, p in layers.items() if i > 0]
    with hooks(deeper, [(clip.vision.embeddings, append)]):
        return clip.image_features(pixels)


def side_by_side(task, name):
    """{layer: prompts} of the task's adapters, whose parameter `name` is [depth, n, width]."""
    stacks = [adapter[name] for adapter in task.adapters]
    return dict(enumerate(torch.cat(stacks, 1)))


def coop(clip, task, options):
    context = torch.cat([adapter["context"] for adapter in task.adapters])
    return clip.similarity(clip.image_features(task.pixels),
                           text_with_prompts(clip, task.texts, {0: context}))


def vpt(clip, task, options):
    return clip.similarity(images_with_prompts(clip, task.pixels, side_by_side(task, "prompts")),
                           clip.text_features(task.texts))


METHODS = {"coop": coop, "vpt-deep": vpt, "vpt-shallow": vpt}
