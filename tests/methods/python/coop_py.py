"""plugins/methods/coop once more, in Python: it must train to the same bits."""

import petlab
import torch


class Method(petlab.Method):
    summary = "learned context vectors at the input of the text tower, in Python"
    version = "1.0.0"
    licence = "MIT"
    options = [petlab.Option("n-ctx", 16, "learned context vectors", minimum=1, maximum=1024),
               petlab.Option("class-position", "end", "place of the class name",
                             choices=("end", "middle", "front"))]
    training = petlab.Training(optimizer="sgd", learning_rate=0.002, source="a test")
    composable = True

    def text_template(self):
        return "{}."

    def make_adapter(self, context):
        start = torch.normal(0.0, 0.02, (self.options.n_ctx, context.shape.text.width),
                             generator=context.generator)
        return CoOp(petlab.trainable(start, context.device), self.options.class_position)


class CoOp(petlab.Adapter):
    def __init__(self, context, position):
        self.context, self.position = context, position

    def parameters(self):
        return {"context": self.context}

    def changes(self, request):
        return petlab.Changes(text=petlab.Tower(prompts=[petlab.Prompt(0, self.context)],
                                                class_position=self.position))
