"""Prompt methods, from their papers and the semantics of their repositories.

Text prompts take the place of placeholder tokens: their rows in the output of the token embedding
are overwritten (CoOp), and again at the input of each deeper prompted layer (MaPLe). Image prompts
are appended to the embedded image, before the first layer norm; at each deeper prompted layer the
last tokens are overwritten. Two adapters of a task: their prompts side by side, the group's first.
"""

import torch
import torch.nn.functional as F

from hooked_clip import hooks, unit


def put(prompts, rows, columns):
    """Overwrites the tokens at `columns` [N, n] of every text by `prompts` [n, d] or [N, n, d]."""

    def change(x):
        new = x.clone()
        new[rows, columns] = prompts.expand(len(x), -1, -1)
        return new

    return change


def text_with_prompts(clip, template, names, layers, position="end"):
    """Features of the texts of class `names` with prompts {layer: [n, d] or [N, n, d]}, behind the
    start token, around the name or directly behind it."""
    n = layers[0].shape[-2]
    before = {"end": n, "middle": n // 2, "front": 0}[position]
    placeholder = clip.token_ids(["x"])[0][:1]
    head, tail = template.split("{}")
    rows, columns = [], []
    for name in names:
        if position == "end":
            name_length, words = 0, clip.token_ids([head + name + tail])[0]
        else:
            assert not head, "the class name must come first"
            name_length, words = len(clip.token_ids([name])[0]), clip.token_ids([name + tail])[0]
        name_tokens, rest = words[:name_length], words[name_length:]
        rows.append(placeholder * before + name_tokens + placeholder * (n - before) + rest)
        second = range(1 + before + name_length, 1 + name_length + n)
        columns.append([*range(1, 1 + before), *second])
    columns = torch.tensor(columns)
    rows_index = torch.arange(len(names)).unsqueeze(1)
    deeper = [(clip.text.encoder.layers[i], put(p, rows_index, columns))
              for i, p in layers.items() if i > 0]
    embedded = [(clip.text.embeddings.token_embedding, put(layers[0], rows_index, columns))]
    with hooks(deeper, embedded):
        return clip.encode_ids(clip.padded(rows))


def images_with_prompts(clip, pixels, layers):
    """Image features with prompts {layer: [n, d]} behind the patches."""
    n = layers[0].shape[0]

    def append(x):
        return torch.cat([x, layers[0].expand(len(x), -1, -1)], 1)

    def replace(prompts):
        return lambda x: torch.cat([x[:, :-n], prompts.expand(len(x), -1, -1)], 1)

    deeper = [(clip.vision.encoder.layers[i], replace(p)) for i, p in layers.items() if i > 0]
    with hooks(deeper, [(clip.vision.embeddings, append)]):
        return clip.image_features(pixels)


def stacked(task, prompts_of, adds=False):
    """{layer: prompts} of the task's adapters, where prompts_of(adapter) is [depth, n, width]: side
    by side, or their sum."""
    parts = [prompts_of(adapter) for adapter in task.adapters]
    return dict(enumerate(sum(parts) if adds else torch.cat(parts, 1)))


def both_towers(clip, task, text=None, vision=None, adds=False):
    """Class scores with the prompts that two functions of an adapter give, one a tower or none."""
    if vision is None:
        images = clip.image_features(task.pixels)
    else:
        images = images_with_prompts(clip, task.pixels, stacked(task, vision, adds))
    if text is None:
        texts = clip.text_features(task.texts)
    else:
        texts = text_with_prompts(clip, task.template, task.classes, stacked(task, text, adds))
    return clip.similarity(images, texts)


def coop(clip, task, options):
    context = torch.cat([adapter["context"] for adapter in task.adapters])
    texts = text_with_prompts(clip, task.template, task.classes, {0: context},
                              options["class-position"])
    return clip.similarity(clip.image_features(task.pixels), texts)


def coop_by_class(clip, task, options):
    parts = []
    for adapter, users in zip(task.adapters, task.users):
        names = list(dict.fromkeys(name for user in users for name in user["classes"]))
        parts.append(adapter["contexts"][[names.index(name) for name in task.classes]])
    texts = text_with_prompts(clip, task.template, task.classes, {0: torch.cat(parts, 1)},
                              options["class-position"])
    return clip.similarity(clip.image_features(task.pixels), texts)


def cocoop(clip, task, options):
    """One image at a time, as each has class features of its own."""
    rows = []
    for image in clip.image_features(task.pixels):
        context = []
        for a in task.adapters:
            hidden = F.relu(F.linear(unit(image), a["down"], a["down-bias"]))
            context.append(a["context"] + F.linear(hidden, a["up"], a["up-bias"]))
        texts = text_with_prompts(clip, task.template, task.classes, {0: torch.cat(context)})
        rows.append(clip.similarity(image.unsqueeze(0), texts))
    return torch.cat(rows)


def text_prompt(clip, task, options):
    return both_towers(clip, task, text=lambda a: a["prompts"])


def vision_prompt(clip, task, options):
    return both_towers(clip, task, vision=lambda a: a["prompts"])


def vpt(clip, task, options):
    def prompts(a):
        return F.linear(a["prompts"], a["projection"], a["projection-bias"]) \
            if "projection" in a else a["prompts"]

    return both_towers(clip, task, vision=prompts)


def ivlp(clip, task, options):
    return both_towers(clip, task, lambda a: a["text-prompts"], lambda a: a["vision-prompts"])


def kgcoop(clip, task, options):
    """CoOp's shared context; the distance of its class features from those of hand-written texts."""
    context = torch.cat([adapter["context"] for adapter in task.adapters])
    texts = text_with_prompts(clip, task.template, task.classes, {0: context})
    by_hand = clip.text_features([options["reference"].replace("{}", c) for c in task.classes])
    if options["distance"] == "cosine":
        distance = 1 - F.cosine_similarity(texts, by_hand, dim=1).mean()
    else:
        distance = (unit(texts) - unit(by_hand)).pow(2).sum(1).mean()
    logits = clip.similarity(clip.image_features(task.pixels), texts)
    return logits, float(options["weight"]) * distance


def promptsrc(clip, task, options):
    """Independent prompts in both towers, held near what the frozen model says."""
    images = images_with_prompts(clip, task.pixels, stacked(task, lambda a: a["vision-prompts"]))
    texts = text_with_prompts(clip, task.template, task.classes,
                              stacked(task, lambda a: a["text-prompts"]))
    logits = clip.similarity(images, texts)
    with torch.no_grad():
        plain = unit(clip.image_features(task.pixels))
        many = [clip.text_features([one.replace("{}", c) for c in task.classes])
                for one in options["templates"].split("|")]
        fixed = unit(torch.stack(many, 1).mean(1))
        target = (clip.logit_scale * plain @ fixed.T).log_softmax(1)
    score = logits.log_softmax(1)
    divergence = (target.exp() * (target - score)).sum() / logits.numel()
    text_part = (unit(texts) - fixed).abs().mean() * float(options["text-weight"])
    image_part = (unit(images) - plain).abs().mean() * float(options["image-weight"])
    return logits, divergence * float(options["logits-weight"]) + text_part + image_part


def maple(clip, task, options):
    def image_prompts(a):
        layers = zip(a["text-prompts"], a["coupling"], a["coupling-bias"])
        return torch.stack([F.linear(prompts, weight, bias) for prompts, weight, bias in layers])

    return both_towers(clip, task, lambda a: a["text-prompts"], image_prompts)


def mmap(clip, task, options):
    b = int(options["b"]) or {"paper-0.09": 4}.get(options["preset"], 16)
    words = clip.token_ids([options["init"]])[0] if options["init"] else []
    words = (words * b)[:b]
    words = clip.text.embeddings.token_embedding.weight[torch.tensor(words, dtype=torch.long)].detach()

    def prompts(a, name):
        if options["prompts"] == "independent":
            return a[name.replace("scales", "prompts")]
        # With share-k there is one scaling matrix for all layers.
        layers = len(a["source"]) if options["share-k"] == "true" else len(a[name])
        return torch.stack([torch.kron(a[name][min(i, len(a[name]) - 1)], a["source"][i])
                            for i in range(layers)])

    def with_words(a, prompts):
        repeats = options["init-adapters"] == "all" and options["composition"] == "concatenate"
        if not len(words) or not (repeats or a is task.adapters[0]):
            return prompts
        return torch.cat([(prompts[0] + words).unsqueeze(0), prompts[1:]])

    def of_tower(tower, name):
        if options["modalities"] not in ("both", tower):
            return None
        depth = {"text": clip.text, "vision": clip.vision}[tower].config.num_hidden_layers
        if tower == "text":
            return lambda a: with_words(a, prompts(a, name)[:depth])
        return lambda a: prompts(a, name)[:depth]

    return both_towers(clip, task, of_tower("text", "text-scales"),
                       of_tower("vision", "vision-scales"), adds=options["composition"] == "add")


METHODS = {
    "coop": coop,
    "coop-csc": coop_by_class,
    "cocoop": cocoop,
    "text-prompt": text_prompt,
    "vision-prompt": vision_prompt,
    "vpt-deep": vpt,
    "vpt-shallow": vpt,
    "ivlp": ivlp,
    "kgcoop": kgcoop,
    "promptsrc": promptsrc,
    "maple": maple,
    "mmap": mmap,
}
