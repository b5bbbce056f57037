"""CLIP as OpenAI's, CoOp's and MaPLe's code compute it, in eager PyTorch: sequence first (LND),
nn.MultiheadAttention with an additive causal mask, layer norm in fp32, QuickGELU as
x * sigmoid(1.702 x), texts padded to the whole context. Written anew from what that code does.

Prompts: a list with one tensor [n, width] a prompted layer, from the first. At a deeper layer they
take the place of the layer before's; behind the last they flow on.
"""

import torch
import torch.nn.functional as F
from torch import nn

from weights import block_names


class LayerNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.type(torch.float32)).type(x.dtype)


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def parameter(value):
    return nn.Parameter(value.contiguous())


def fill(module, weight, bias):
    module.weight, module.bias = parameter(weight), parameter(bias)


class Block(nn.Module):
    def __init__(self, shape, parts, mask):
        super().__init__()
        self.attn = nn.MultiheadAttention(shape.width, shape.heads)
        q, k, v = (parts[f"self_attn.{name}_proj"] for name in "qkv")
        self.attn.in_proj_weight = parameter(torch.cat([q[0], k[0], v[0]]))
        self.attn.in_proj_bias = parameter(torch.cat([q[1], k[1], v[1]]))
        fill(self.attn.out_proj, *parts["self_attn.out_proj"])
        self.ln_1 = LayerNorm(shape.width, eps=shape.eps)
        self.ln_2 = LayerNorm(shape.width, eps=shape.eps)
        self.c_fc, self.gelu = nn.Linear(shape.width, shape.mlp), QuickGELU()
        self.c_proj = nn.Linear(shape.mlp, shape.width)
        for module, name in ((self.ln_1, "layer_norm1"), (self.ln_2, "layer_norm2"),
                             (self.c_fc, "mlp.fc1"), (self.c_proj, "mlp.fc2")):
            fill(module, *parts[name])
        self.mask = mask
        self.lora = None

    def attention(self, y, mask):
        if self.lora is None:
            return self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        # CLIP-LoRA puts a module of its own in the place of nn.MultiheadAttention.
        qkv = F.linear(y, self.attn.in_proj_weight, self.attn.in_proj_bias) + self.lora(y)
        q, k, v = (part.unflatten(2, (self.attn.num_heads, -1)).permute(1, 2, 0, 3) for part in qkv.chunk(3, -1))
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.attn.out_proj(out.permute(2, 0, 1, 3).flatten(2))

    def forward(self, x):
        y = self.ln_1(x)
        mask = None if self.mask is None else self.mask.to(y.dtype)
        x = x + self.attention(y, mask)
        return x + self.c_proj(self.gelu(self.c_fc(self.ln_2(x))))

    def named(self):
        """Values under the names of the Hugging Face layout, in the order of block_names()."""
        qkv = zip(self.attn.in_proj_weight.chunk(3), self.attn.in_proj_bias.chunk(3))
        pairs = [*qkv] + [(m.weight, m.bias) for m in (self.attn.out_proj, self.ln_1, self.ln_2,
                                                       self.c_fc, self.c_proj)]
        return [value for pair in pairs for value in pair]


class Vision(nn.Module):
    def __init__(self, w):
        super().__init__()
        shape, name = w.vision, "vision_model."
        self.conv1 = nn.Conv2d(3, shape.width, w.patch, w.patch, bias=False)
        self.conv1.weight = parameter(w.take(name + "embeddings.patch_embedding.weight"))
        self.class_embedding = parameter(w.take(name + "embeddings.class_embedding"))
        self.positions = parameter(w.take(name + "embeddings.position_embedding.weight"))
        self.ln_pre, self.ln_post = (LayerNorm(shape.width, eps=shape.eps) for _ in range(2))
        for module, part in ((self.ln_pre, "pre_layrnorm"), (self.ln_post, "post_layernorm")):
            fill(module, w.take(name + part + ".weight"), w.take(name + part + ".bias"))
        self.blocks = nn.ModuleList(Block(shape, w.block("vision", i), None) for i in range(shape.layers))
        self.proj = parameter(w.take("visual_projection.weight").T)

    def forward(self, pixels, prompts=()):
        x = self.conv1(pixels).flatten(2).permute(0, 2, 1)
        start = self.class_embedding.to(x.dtype).expand(len(x), 1, -1)
        x = torch.cat([start, x], dim=1) + self.positions.to(x.dtype)
        if prompts:
            x = torch.cat([x, prompts[0].expand(len(x), -1, -1)], dim=1)
        x = self.ln_pre(x).permute(1, 0, 2)  # LND
        for i, block in enumerate(self.blocks):
            if 0 < i < len(prompts):
                own = prompts[i].expand(x.shape[1], -1, -1).permute(1, 0, 2)
                x = torch.cat([x[: len(x) - len(own)], own], dim=0)
            x = block(x)
        return self.ln_post(x.permute(1, 0, 2)[:, 0]) @ self.proj


class Text(nn.Module):
    def __init__(self, w):
        super().__init__()
        shape, name = w.text, "text_model."
        self.context = w.context
        self.token_embedding = parameter(w.take(name + "embeddings.token_embedding.weight"))
        self.positions = parameter(w.take(name + "embeddings.position_embedding.weight"))
        self.ln_final = LayerNorm(shape.width, eps=shape.eps)
        fill(self.ln_final, w.take(name + "final_layer_norm.weight"), w.take(name + "final_layer_norm.bias"))
        mask = torch.full((w.context, w.context), float("-inf")).triu_(1)
        self.blocks = nn.ModuleList(Block(shape, w.block("text", i), mask) for i in range(shape.layers))
        self.projection = parameter(w.take("text_projection.weight").T)

    def forward(self, ids, eot, prompts=()):
        """ids [C, context - n_prompt]: the prompts stand behind the start token."""
        x = self.token_embedding[ids]
        n = len(prompts[0]) if prompts else 0
        if prompts:
            x = torch.cat([x[:, :1], prompts[0].expand(len(x), -1, -1), x[:, 1:]], dim=1)
        x = (x + self.positions).permute(1, 0, 2)  # LND
        for i, block in enumerate(self.blocks):
            if 0 < i < len(prompts):
                own = prompts[i].expand(x.shape[1], -1, -1).permute(1, 0, 2)
                x = torch.cat([x[:1], own, x[1 + n:]], dim=0)
            x = block(x)
        x = self.ln_final(x.permute(1, 0, 2))
        return x[torch.arange(len(x)), eot + n] @ self.projection


class Clip(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.vision, self.text = Vision(w), Text(w)
        self.logit_scale = parameter(w.take("logit_scale"))

    def logits(self, images, texts):
        images = images / images.norm(dim=-1, keepdim=True)
        texts = texts / texts.norm(dim=-1, keepdim=True)
        return self.logit_scale.exp() * images @ texts.t()

    def named(self):
        """Weights under the names of the Hugging Face layout."""
        result = {"logit_scale": self.logit_scale}
        for tower, module in (("vision", self.vision), ("text", self.text)):
            for i, block in enumerate(module.blocks):
                result.update(zip(block_names(tower, i), block.named()))
        v, t = self.vision, self.text
        result.update({
            "vision_model.embeddings.class_embedding": v.class_embedding,
            "vision_model.embeddings.position_embedding.weight": v.positions,
            "vision_model.embeddings.patch_embedding.weight": v.conv1.weight,
            "vision_model.pre_layrnorm.weight": v.ln_pre.weight,
            "vision_model.pre_layrnorm.bias": v.ln_pre.bias,
            "vision_model.post_layernorm.weight": v.ln_post.weight,
            "vision_model.post_layernorm.bias": v.ln_post.bias,
            "visual_projection.weight": v.proj.T,
            "text_model.embeddings.position_embedding.weight": t.positions,
            "text_model.final_layer_norm.weight": t.ln_final.weight,
            "text_model.final_layer_norm.bias": t.ln_final.bias,
            "text_projection.weight": t.projection.T,
        })
        return result
