"""Print the CPU seconds of an epoch of `deep` in a project with a finished run; called by large_data.py.

python benchmarks/one_epoch.py PROJECT fit|pass

`fit` runs the node of the pipeline, and `pass` passes all training rows through the model at once.
"""

import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

EPOCHS = 30


def load(name: str) -> dict[str, Tensor]:
    (file,) = list((project / "data").glob(f"*/{name}.safetensors/*/*"))[-1:]
    return {name: tensor.clone() for name, tensor in load_file(file).items()}


def train_in_one_pass() -> None:
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    for _ in range(EPOCHS):
        predictions = MODELS["deep"].predict(coefficients, train["independent"])
        (predictions - train["dependent"]).abs().mean().backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for coefficient in coefficients.values():
                assert coefficient.grad is not None
                coefficient.sub_(coefficient.grad * 4)
                coefficient.grad.zero_()


project = Path(sys.argv[1])
sys.path.insert(0, str(project / "src"))

from from_scratch.models import MODELS  # noqa: E402
from from_scratch.pipelines.training.nodes import fit  # noqa: E402
from from_scratch.schema.parameters import Variant  # noqa: E402

torch.set_num_threads(1)
train, coefficients = load("train"), load("deep/initial_coefficients")
variant = Variant(model="deep", seed=442, learning_rate=4, epochs=EPOCHS, hidden=[10, 10])
start = time.process_time()
if sys.argv[2] == "fit":
    fit(coefficients, train, variant, 1, "float32")
else:
    train_in_one_pass()
print((time.process_time() - start) / EPOCHS)
