"""The five models of the article, each a file with two functions: `initialise` and `predict`.

Tensors in, tensors out: nothing here knows of Kedro, pandas or passengers.
"""

from types import ModuleType

from from_scratch.models import deep, linear, matmul, neural_net, sigmoid

MODELS: dict[str, ModuleType] = {
    "linear": linear,
    "sigmoid": sigmoid,
    "matmul": matmul,
    "neural_net": neural_net,
    "deep": deep,
}
