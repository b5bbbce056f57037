"""Methods that know their tasks, from their papers: hypernetworks, experts, variational heads, caches.
"""

import math

import torch
import torch.nn.functional as F

from hooked_clip import unit
from towers import TOWERS, Bottleneck, layers, norm_eps, width, with_modules


def place_of(task, adapter):
    """Which of the tasks that use the adapter this is."""
    return [user["name"] for user in task.users[adapter]].index(task.name)


def linear(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def code(p, name, z):
    """The task's code: a network with one hidden layer, and a layer norm."""
    out = linear(p, name + ".2", F.relu(linear(p, name + ".1", z)))
    return F.layer_norm(out, out.shape[-1:], p[name + ".norm.weight"], p[name + ".norm.bias"], 1e-6)


def all_places(clip, options):
    for name in TOWERS[options["towers"]]:
        for layer in range(len(layers(clip, name))):
            for i, place in enumerate(["attention", "mlp"] if options["sites"] == "both" else ["mlp"]):
                yield name, layer, i, place


def hyperformer(clip, task, options):
    modules = {}
    for name, layer, i, place in all_places(clip, options):
        w = width(clip, name)
        hidden = w // int(options["reduction"])
        functions = []
        for a, p in enumerate(task.adapters):
            z = torch.cat([p["task_embeddings"][place_of(task, a)],
                           p[name + ".layer_embeddings"][layer], p[name + ".site_embeddings"][i]])
            c = code(p, name + ".net", z)
            norms = {"none": {}, "before": {"norm": 0}, "after": {"out_norm": 0}}[options["norm"]]
            made = {key: (linear(p, name + ".norm_weight", c), linear(p, name + ".norm_bias", c))
                    for key in norms}
            functions.append(Bottleneck(
                options["activation"], linear(p, name + ".down", c).reshape(hidden, w),
                linear(p, name + ".up", c).reshape(w, hidden), linear(p, name + ".down_bias", c),
                linear(p, name + ".up_bias", c), eps=norm_eps(clip), **made))
        modules[name, layer, place] = functions
    return with_modules(clip, task, modules)


def kron(kernel, template):
    """kernel (x) template: blocks of the template, each times an entry of the kernel."""
    return torch.cat([torch.cat([entry * template for entry in row], 1) for row in kernel])


def polyhistor(clip, task, options):
    modules = {}
    size, rank = int(options["kernel"]), int(options["rank"])
    for name, layer, _, place in all_places(clip, options):
        w = width(clip, name)
        hidden = w // int(options["reduction"])
        functions = []
        for a, p in enumerate(task.adapters):
            c = code(p, "net", p["task_embeddings"][place_of(task, a)])
            key = f"{name}.{place}."

            def weight(what, rows, columns):
                left = linear(p, key + what + ".left", c).reshape(rows // size, rank)
                right = linear(p, key + what + ".right", c).reshape(rank, columns // size)
                return kron(p[key + what + "_kernels"][layer], left @ right)

            functions.append(Bottleneck(
                options["activation"], weight("down", hidden, w), weight("up", w, hidden),
                p[key + "down_biases"][layer], p[key + "up_biases"][layer]))
        modules[name, layer, place] = functions
    return with_modules(clip, task, modules)


def moe_adapter(clip, task, options):
    n, k = int(options["n-experts"]), int(options["top-k"]) or int(options["n-experts"])
    modules = {}
    for index, (name, layer, _, place) in enumerate(all_places(clip, options)):
        functions = []
        for a, p in enumerate(task.adapters):
            gates = p["gates"][index, place_of(task, a)]
            weakest = gates.sort(descending=True).values[k - 1].item()
            shares = torch.where(gates >= weakest, gates.exp(), torch.zeros(()))
            shares = shares / shares.sum()
            for expert in range(n):
                key = f"{name}.{layer}.{place}.{expert}."
                functions.append(Bottleneck(
                    options["activation"], p[key + "down"], p[key + "up"], p[key + "down_bias"],
                    p[key + "up_bias"], shares[expert]))
        modules[name, layer, place] = functions
    return with_modules(clip, task, modules)


def vmtl(clip, task, options):
    """In evaluation: all variables at their means."""
    p = task.adapters[0]
    x = unit(clip.image_features(task.pixels))
    x = x * (float(options["feature-scale"]) or math.sqrt(x.shape[-1]))
    z = x @ p["latent.mean"] + p["latent_bias.mean"]
    return z @ p[f"weights.{place_of(task, 0)}.mean"].T


def tip_adapter(clip, task, options):
    """Each adapter remembers the images of all its tasks; an example counts by its class name, and
    votes for a class are the mean over the tasks that have it."""
    alpha, beta = float(options["alpha"]), float(options["beta"])
    f = unit(clip.image_features(task.pixels))
    logits = clip.similarity(f, clip.text_features(task.texts))
    for a, p in enumerate(task.adapters):
        keys, votes = [], []
        for user in task.users[a]:
            pixels, labels = task.images[user["name"]]
            keys.append(unit(clip.image_features(pixels)))
            holders = [sum(name in other["classes"] for other in task.users[a])
                       for name in task.classes]
            votes += [[float(user["classes"][label] == name) / n
                       for name, n in zip(task.classes, holders)] for label in labels.tolist()]
        keys = p["keys"] if "keys" in p else torch.cat(keys)
        logits = logits + alpha * torch.exp(-beta * (1 - f @ keys.T)) @ torch.tensor(votes)
    return logits


METHODS = {"hyperformer": hyperformer, "polyhistor": polyhistor, "moe-adapter": moe_adapter,
           "vmtl": vmtl, "tip-adapter": tip_adapter, "tip-adapter-f": tip_adapter}
