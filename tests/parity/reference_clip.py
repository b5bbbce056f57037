"""CLIP's two towers with prompts, written for reading: plain PyTorch on a state dict.

Independent of petlab and of transformers' modelling code. Texts keep their full padded length, the
causal mask is a matrix of -inf, attention is softmax(q k^T) v. Prompts as in CoOp (one layer) and as
in deep prompting (MaPLe, IVLP, VPT): the outputs of the previous layer's prompts are cut out and
replaced.
"""

import math

import torch
import torch.nn.functional as F


def activation(name, x):
    return F.gelu(x) if name == "gelu" else x * torch.sigmoid(1.702 * x)


def norm(state, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], state[name + ".weight"], state[name + ".bias"], eps)


def linear(state, name, x):
    return F.linear(x, state[name + ".weight"], state.get(name + ".bias"))


def block(state, prefix, config, x, mask):
    length, width = x.shape[1:]
    heads = config.num_attention_heads

    def split(y):
        return y.view(-1, length, heads, width // heads).transpose(1, 2)

    h = norm(state, prefix + "layer_norm1", x, config.layer_norm_eps)
    q, k, v = (split(linear(state, f"{prefix}self_attn.{n}_proj", h)) for n in "qkv")
    scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)
    if mask is not None:
        scores = scores + mask
    h = (scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, length, width)
    x = x + linear(state, prefix + "self_attn.out_proj", h)
    h = linear(state, prefix + "mlp.fc1", norm(state, prefix + "layer_norm2", x, config.layer_norm_eps))
    return x + linear(state, prefix + "mlp.fc2", activation(config.hidden_act, h))


def vision(state, config, pixels, prompts=None):
    """prompts: {layer: [n, width]}; appended to [class, patches], before the first layer norm."""
    prompts = prompts or {}
    patches = F.conv2d(
        pixels, state["vision_model.embeddings.patch_embedding.weight"], stride=config.patch_size
    )
    x = patches.flatten(2).transpose(1, 2)
    batch = x.shape[0]
    start = state["vision_model.embeddings.class_embedding"].expand(batch, 1, -1)
    x = torch.cat([start, x], 1) + state["vision_model.embeddings.position_embedding.weight"]
    n = 0
    if 0 in prompts:
        n = prompts[0].shape[0]
        x = torch.cat([x, prompts[0].expand(batch, -1, -1)], 1)
    x = norm(state, "vision_model.pre_layrnorm", x, config.layer_norm_eps)
    for layer in range(config.num_hidden_layers):
        if layer > 0 and layer in prompts:
            x = torch.cat([x[:, : x.shape[1] - n], prompts[layer].expand(batch, -1, -1)], 1)
            n = prompts[layer].shape[0]
        x = block(state, f"vision_model.encoder.layers.{layer}.", config, x, None)
    x = norm(state, "vision_model.post_layernorm", x[:, 0], config.layer_norm_eps)
    return linear(state, "visual_projection", x)


def text(state, config, ids, eot, prompts=None):
    """ids [N, context - n] with padding, eot [N]; prompts {layer: [n, width]} behind the start."""
    prompts = prompts or {}
    x = state["text_model.embeddings.token_embedding.weight"][ids]
    batch = x.shape[0]
    n = 0

    def put(x, new, old):
        return torch.cat([x[:, :1], new.expand(batch, -1, -1), x[:, 1 + old :]], 1)

    if 0 in prompts:
        x = put(x, prompts[0], 0)
        n = prompts[0].shape[0]
    x = x + state["text_model.embeddings.position_embedding.weight"][: x.shape[1]]
    for layer in range(config.num_hidden_layers):
        if layer > 0 and layer in prompts:
            x = put(x, prompts[layer], n)
            n = prompts[layer].shape[0]
        mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        x = block(state, f"text_model.encoder.layers.{layer}.", config, x, mask)
    x = norm(state, "text_model.final_layer_norm", x, config.layer_norm_eps)
    return linear(state, "text_projection", x[torch.arange(batch), eot + n])


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def logits(state, images, texts):
    return state["logit_scale"].exp() * unit(images) @ unit(texts).T
