"""transformers' CLIPModel with hooks: what the references are written with."""

from contextlib import ExitStack, contextmanager

import torch
from transformers import CLIPModel, CLIPTokenizer


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


@contextmanager
def hooks(inputs=(), outputs=()):
    """While open: `inputs` are pairs (module, f) where f changes the first argument of the module's
    forward, `outputs` pairs where it changes the output."""

    def before(change):
        return lambda module, args: (change(args[0]), *args[1:])

    def after(change):
        return lambda module, args, output: change(output)

    with ExitStack() as stack:
        for module, change in inputs:
            stack.callback(module.register_forward_pre_hook(before(change)).remove)
        for module, change in outputs:
            stack.callback(module.register_forward_hook(after(change)).remove)
        yield


class HookedClip:
    """CLIPModel in fp32 with frozen weights, its tokenizer, and what every reference needs."""

    def __init__(self, folder):
        self.model = CLIPModel.from_pretrained(folder, attn_implementation="eager").float().eval()
        self.model.requires_grad_(False)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        self.text = self.model.text_model
        self.vision = self.model.vision_model

    @property
    def context_length(self):
        return self.model.config.text_config.max_position_embeddings

    def token_ids(self, texts):
        """Lists of ids without start and end."""
        return [self.tokenizer(text, add_special_tokens=False).input_ids for text in texts]

    def padded(self, rows):
        """[N, context]: start, the row's ids, end, padding to the full context."""
        start, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        full = [[start, *row, end] + [end] * (self.context_length - len(row) - 2) for row in rows]
        assert all(len(row) == self.context_length for row in full), "a text is too long"
        return torch.tensor(full)

    def text_features(self, texts):
        """[N, embed_dim] of the model as it is, hooks included; not normalised."""
        return self.encode_ids(self.padded(self.token_ids(texts)))

    def encode_ids(self, ids):
        return self.model.text_projection(self.text(input_ids=ids).pooler_output)

    def image_features(self, pixels):
        """[B, embed_dim], not normalised."""
        return self.model.visual_projection(self.vision(pixel_values=pixels).pooler_output)

    @property
    def logit_scale(self):
        return self.model.logit_scale.exp()

    def similarity(self, images, texts):
        """Class scores of image and text features, neither normalised."""
        return self.logit_scale * unit(images) @ unit(texts).T
