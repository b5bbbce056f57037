"""What kgcoop_py uses; no method, as it has no class Method."""


def distance(texts, references):
    return (1 - (texts * references).sum(1)).mean()
