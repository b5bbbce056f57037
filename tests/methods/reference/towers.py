"""Modules, scales and maps in the blocks of HookedClip's towers: what module references are built on.

Names of parameters are petlab's: `vision.3.mlp.down` is the first map of the module at the MLP of the
image tower's layer 3.
"""

import torch
import torch.nn.functional as F

from hooked_clip import hooks

TOWERS = {"image": ["vision"], "text": ["text"], "both": ["vision", "text"]}


def tower(clip, name):
    return clip.vision if name == "vision" else clip.text


def layers(clip, name):
    return tower(clip, name).encoder.layers


def width(clip, name):
    config = clip.model.config
    return (config.vision_config if name == "vision" else config.text_config).hidden_size


def norm_eps(clip):
    return clip.model.config.vision_config.layer_norm_eps


def activate(name, x):
    return {"none": lambda y: y, "relu": F.relu, "gelu": F.gelu,
            "quick-gelu": lambda y: y * torch.sigmoid(1.702 * y)}[name](x)


def in_first(change):
    """For modules that give a tuple: changes its first element."""
    return lambda output: (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)


def behind(block, place, functions):
    """Hooks that add f(y) for each f to the output y of the branch at `place`."""
    module = block.self_attn if place == "attention" else block.mlp
    return [], [(module, in_first(lambda y: y + sum(f(y) for f in functions)))]


def beside(block, place, functions):
    """Hooks that add f(x) for each f, x the stream in front of the branch and its norm."""
    seen = {}

    def keep(x):
        seen["x"] = x
        return x

    module = block.self_attn if place == "attention" else block.mlp
    norm = block.layer_norm1 if place == "attention" else block.layer_norm2
    return ([(norm, keep)],
            [(module, in_first(lambda y: y + sum(f(seen["x"]) for f in functions)))])


class Bottleneck:
    """A(h) = scale * out_norm(up act(down norm(h) + down_bias) + up_bias)."""

    def __init__(self, activation, down, up, down_bias=None, up_bias=None, scale=1.0, norm=None,
                 out_norm=None, eps=1e-5):
        self.activation, self.down, self.up = activation, down, up
        self.down_bias, self.up_bias, self.scale = down_bias, up_bias, scale
        self.norm, self.out_norm, self.eps = norm, out_norm, eps

    def __call__(self, h):
        if self.norm is not None:
            h = F.layer_norm(h, h.shape[-1:], *self.norm, eps=self.eps)
        h = activate(self.activation, F.linear(h, self.down, self.down_bias))
        h = F.linear(h, self.up, self.up_bias)
        if self.out_norm is not None:
            h = F.layer_norm(h, h.shape[-1:], *self.out_norm, eps=self.eps)
        return self.scale * h


def with_modules(clip, task, modules, attach=behind):
    """Logits with modules {(tower, layer, place): [f, ...]}."""
    inputs, outputs = [], []
    for (name, layer, place), functions in modules.items():
        one = attach(layers(clip, name)[layer], place, functions)
        inputs += one[0]
        outputs += one[1]
    with hooks(inputs, outputs):
        return clip.similarity(clip.image_features(task.pixels), clip.text_features(task.texts))
