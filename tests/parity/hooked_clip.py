"""CLIP's towers with prompts, computed by transformers' own modules: hooks put the prompts into what
flows between the modules. The second reference beside reference_clip.py, which uses none of them.
"""

import contextlib

import torch


@contextlib.contextmanager
def hooks(handles):
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def layer_hooks(encoder, prompts, put):
    """Before layer l > 0, the prompts of layer l take the place of those before them."""
    handles = []
    lengths = [0]
    for layer, module in enumerate(encoder.layers):
        if layer == 0 or layer not in prompts:
            continue

        def replace(module, args, kwargs, new=prompts[layer]):
            changed = put(args[0], new, lengths[0])
            lengths[0] = new.shape[0]
            return (changed, *args[1:]), kwargs

        handles.append(module.register_forward_pre_hook(replace, with_kwargs=True))
    return handles, lengths


def vision(model, pixels, prompts):
    tower = model.vision_model

    def put(x, new, old):
        return torch.cat([x[:, : x.shape[1] - old], new.expand(x.shape[0], -1, -1)], 1)

    handles, lengths = layer_hooks(tower.encoder, prompts, put)
    if 0 in prompts:
        lengths[0] = prompts[0].shape[0]
        handles.append(tower.embeddings.register_forward_hook(lambda m, a, x: put(x, prompts[0], 0)))
    with hooks(handles):
        return model.visual_projection(tower(pixel_values=pixels).pooler_output)


def text(model, ids, eot, prompts):
    """ids [N, L] with room for the prompts: L + n_prompt is at most the context. Layer 0 has some."""
    tower = model.text_model

    def put(x, new, old):
        return torch.cat([x[:, :1], new.expand(x.shape[0], -1, -1), x[:, 1 + old :]], 1)

    # The attention mask has the length of what enters layer 0, so all prompts have to enter there.
    n = prompts[0].shape[0]
    handles, lengths = layer_hooks(tower.encoder, prompts, put)
    lengths[0] = n

    # Prompts join the token embeddings, before the position embeddings are added.
    def embed(module, args, kwargs):
        embeddings = put(module.token_embedding(kwargs["input_ids"]), prompts[0], 0)
        return args, {"inputs_embeds": embeddings}

    handles.append(tower.embeddings.register_forward_pre_hook(embed, with_kwargs=True))
    with hooks(handles):
        states = tower(input_ids=ids).last_hidden_state
    return model.text_projection(states[torch.arange(len(eot)), eot + n])
