"""plugins/methods/lora once more, in Python: it must train to the same bits."""

import math

import petlab
import torch


class Method(petlab.Method):
    summary = "low-rank changes of the attention's maps in both towers, in Python"
    version = "1.0.0"
    licence = "MIT"
    options = [petlab.Option("rank", 2, "rank of each change", minimum=1),
               petlab.Option("dropout", 0.25, "share of the input that is left out", minimum=0,
                             maximum=0.99)]
    training = petlab.Training(optimizer="adamw", learning_rate=2e-4, weight_decay=1e-2,
                               momentum=0.0, source="a test")
    composable = True

    def text_template(self):
        return "a photo of a {}."

    def make_adapter(self, context):
        rank, sites = self.options.rank, []
        for name, tower in (("vision", context.shape.vision), ("text", context.shape.text)):
            for layer in range(tower.layers):
                for map in "qkv":
                    bound = 1.0 / math.sqrt(tower.width)
                    down = torch.empty(rank, tower.width).uniform_(-bound, bound,
                                                                   generator=context.generator)
                    up = torch.zeros(tower.width, rank)
                    sites.append((name, layer, map, petlab.trainable(down, context.device),
                                  petlab.trainable(up, context.device)))
        return LoRA(sites, 1.0 / math.sqrt(rank), self.options.dropout)


class LoRA(petlab.Adapter):
    def __init__(self, sites, scale, dropout):
        self.sites, self.scale, self.dropout = sites, scale, dropout

    def parameters(self):
        named = {}
        for tower, layer, map, down, up in self.sites:
            named[f"{tower}.{layer}.{map}.down"] = down
            named[f"{tower}.{layer}.{map}.up"] = up
        return named

    def changes(self, request):
        changes = petlab.Changes()
        for tower, layer, map, down, up in self.sites:
            getattr(changes, tower).low_ranks.append(
                petlab.LowRank(layer, map, down, up, self.scale, self.dropout))
        return changes
