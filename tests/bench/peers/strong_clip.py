"""CLIP with what is easy in Python: batch first, one product for q, k and v,
scaled_dot_product_attention, layer norm as it comes, the activation as SiLU (x sigmoid(ax) =
silu(ax) / a; of frozen weights the factors are in the linear layers around it), texts cut behind the
last end token, and blocks that can be compiled. Same prompts as published_clip.
"""

import torch
import torch.nn.functional as F
from torch import nn

import published_clip
from published_clip import parameter
from weights import block_names

SLOPE = 1.702


class Block(nn.Module):
    def __init__(self, shape, parts, causal, frozen):
        super().__init__()
        self.heads, self.eps, self.causal, self.frozen = shape.heads, shape.eps, causal, frozen
        self.lora = None
        q, k, v = (parts[f"self_attn.{name}_proj"] for name in "qkv")
        self.qkv = parameter(torch.cat([q[0], k[0], v[0]]))
        self.qkv_bias = parameter(torch.cat([q[1], k[1], v[1]]))
        self.out, self.out_bias = map(parameter, parts["self_attn.out_proj"])
        self.norm1, self.norm1_bias = map(parameter, parts["layer_norm1"])
        self.norm2, self.norm2_bias = map(parameter, parts["layer_norm2"])
        self.fc1, self.fc1_bias = map(parameter, parts["mlp.fc1"])
        self.fc2, self.fc2_bias = map(parameter, parts["mlp.fc2"])
        if frozen:
            with torch.no_grad():
                self.fc1.mul_(SLOPE)
                self.fc1_bias.mul_(SLOPE)
                self.fc2.div_(SLOPE)

    def forward(self, x):
        y = F.layer_norm(x, x.shape[-1:], self.norm1, self.norm1_bias, self.eps)
        qkv = F.linear(y, self.qkv, self.qkv_bias)
        if self.lora is not None:
            qkv = qkv + self.lora(y)
        qkv = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_causal=self.causal)
        x = x + F.linear(y.transpose(1, 2).flatten(2), self.out, self.out_bias)
        y = F.layer_norm(x, x.shape[-1:], self.norm2, self.norm2_bias, self.eps)
        y = F.linear(y, self.fc1, self.fc1_bias)
        y = F.silu(y) if self.frozen else F.silu(SLOPE * y) / SLOPE
        return x + F.linear(y, self.fc2, self.fc2_bias)

    def named(self):
        qkv = zip(self.qkv.chunk(3), self.qkv_bias.chunk(3))
        pairs = [*qkv] + [(self.out, self.out_bias), (self.norm1, self.norm1_bias),
                          (self.norm2, self.norm2_bias), (self.fc1, self.fc1_bias), (self.fc2, self.fc2_bias)]
        return [value for pair in pairs for value in pair]


class Tower(nn.Module):
    """`kept` tokens in front of the prompts: the start token, or all of an image.

    Where only blocks from `first` on are trained, `stream` keeps what the others make of the one batch
    that is trained on."""

    first, stream = 0, None

    def run(self, x, prompts, kept):
        n = len(prompts[0]) if prompts else 0
        if self.first:
            if self.stream is None:
                with torch.no_grad():
                    for block in self.blocks[: self.first]:
                        x = self.step(block, x)
                self.stream = x.detach()
            x = self.stream
        for i, block in enumerate(self.blocks[self.first:], self.first):
            if 0 < i < len(prompts):
                x = torch.cat([x[:, :kept], prompts[i].expand(len(x), -1, -1), x[:, kept + n:]], 1)
            x = self.step(block, x)
        return x

    @staticmethod
    def step(block, x):
        return block(x)


class Vision(Tower):
    def __init__(self, w, frozen):
        super().__init__()
        shape, name = w.vision, "vision_model."
        self.patch, self.eps = w.patch, shape.eps
        self.patches = parameter(w.take(name + "embeddings.patch_embedding.weight"))
        self.start = parameter(w.take(name + "embeddings.class_embedding"))
        self.positions = parameter(w.take(name + "embeddings.position_embedding.weight"))
        self.pre = nn.ParameterList(parameter(w.take(f"{name}pre_layrnorm.{k}")) for k in ("weight", "bias"))
        self.post = nn.ParameterList(parameter(w.take(f"{name}post_layernorm.{k}")) for k in ("weight", "bias"))
        self.blocks = nn.ModuleList(Block(shape, w.block("vision", i), False, frozen) for i in range(shape.layers))
        self.projection = parameter(w.take("visual_projection.weight"))

    def forward(self, pixels, prompts=()):
        x = F.conv2d(pixels, self.patches, stride=self.patch).flatten(2).transpose(1, 2)
        x = torch.cat([self.start.to(x.dtype).expand(len(x), 1, -1), x], 1) + self.positions
        kept = x.shape[1]
        if prompts:
            x = torch.cat([x, prompts[0].expand(len(x), -1, -1)], 1)
        x = F.layer_norm(x, x.shape[-1:], self.pre[0], self.pre[1], self.eps)
        x = self.run(x, prompts, kept)[:, 0]
        return F.linear(F.layer_norm(x, x.shape[-1:], self.post[0], self.post[1], self.eps), self.projection)


class Text(Tower):
    def __init__(self, w, frozen):
        super().__init__()
        shape, name = w.text, "text_model."
        self.eps = shape.eps
        self.tokens = parameter(w.take(name + "embeddings.token_embedding.weight"))
        self.positions = parameter(w.take(name + "embeddings.position_embedding.weight"))
        self.final = nn.ParameterList(parameter(w.take(f"{name}final_layer_norm.{k}")) for k in ("weight", "bias"))
        self.blocks = nn.ModuleList(Block(shape, w.block("text", i), True, frozen) for i in range(shape.layers))
        self.projection = parameter(w.take("text_projection.weight"))

    def forward(self, ids, eot, prompts=()):
        """ids [C, longest text]: cut behind the last end token."""
        x = F.embedding(ids, self.tokens)
        n = len(prompts[0]) if prompts else 0
        if prompts:
            x = torch.cat([x[:, :1], prompts[0].expand(len(x), -1, -1), x[:, 1:]], 1)
        x = self.run(x + self.positions[: x.shape[1]], prompts, 1)
        x = x[torch.arange(len(x)), eot + n]
        return F.linear(F.layer_norm(x, x.shape[-1:], self.final[0], self.final[1], self.eps), self.projection)


class Clip(nn.Module):
    def __init__(self, w, frozen, compiled):
        super().__init__()
        self.vision, self.text = Vision(w, frozen), Text(w, frozen)
        self.logit_scale = parameter(w.take("logit_scale"))
        if compiled:
            # One graph for the blocks of a tower: they differ in their weights alone.
            torch._dynamo.config.recompile_limit = 64
            for tower in (self.vision, self.text):
                tower.step = torch.compile(lambda block, x: block(x), dynamic=False)

    logits = published_clip.Clip.logits

    def named(self):
        result = {"logit_scale": self.logit_scale}
        for tower, module in (("vision", self.vision), ("text", self.text)):
            for i, block in enumerate(module.blocks):
                result.update(zip(block_names(tower, i), block.named()))
        v, t = self.vision, self.text
        result.update({
            "vision_model.embeddings.class_embedding": v.start,
            "vision_model.embeddings.position_embedding.weight": v.positions,
            "vision_model.embeddings.patch_embedding.weight": v.patches,
            "visual_projection.weight": v.projection,
            "text_model.embeddings.position_embedding.weight": t.positions,
            "text_projection.weight": t.projection,
        })
        for norm, name in ((v.pre, "vision_model.pre_layrnorm"), (v.post, "vision_model.post_layernorm"),
                           (t.final, "text_model.final_layer_norm")):
            result.update({f"{name}.weight": norm[0], f"{name}.bias": norm[1]})
        return result
