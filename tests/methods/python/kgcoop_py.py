"""plugins/methods/kgcoop once more, in Python: a loss of its own. It must train to the same bits."""

import petlab
import torch
from text_distance import distance


class Method(petlab.Method):
    summary = "learned context vectors held near a hand-crafted text, in Python"
    options = [petlab.Option("weight", 8.0, "weight of the distance", minimum=0)]
    training = petlab.Training(optimizer="sgd", learning_rate=0.002, source="a test")
    composable = True

    def text_template(self):
        return "{}."

    def make_adapter(self, context):
        start = torch.normal(0.0, 0.02, (4, context.shape.text.width), generator=context.generator)
        words = context.token_embeddings("a photo of a")[:4]
        start[:len(words)] = words
        return KgCoOp(petlab.trainable(start, context.device), self.options.weight, context)


def unit(features):
    return features / features.norm(dim=-1, keepdim=True)


class KgCoOp(petlab.Adapter):
    def __init__(self, vectors, weight, context):
        self.vectors, self.weight = vectors, weight
        self.step_tensors = ("text_features",) if context.place == 0 else ()
        names = list(dict.fromkeys(name for task in context.tasks for name in task.classes))
        features = context.text_features([f"a photo of a {name}." for name in names]).detach()
        features = unit(unit(features))  # of one text, then of the mean over texts
        self.references = [features[[names.index(name) for name in task.classes]]
                           for task in context.tasks]

    def parameters(self):
        return {"context": self.vectors}

    def changes(self, request):
        return petlab.Changes(text=petlab.Tower(prompts=[petlab.Prompt(0, self.vectors)]))

    def loss(self, step):
        return self.weight * distance(step.text_features, self.references[step.task])
