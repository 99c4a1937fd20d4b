"""The article's six models in one plain script, without Kedro and output files: the reference for speed.

python benchmarks/plain_script.py TRAIN_CSV
"""

import sys

import numpy as np
import pandas as pd
import torch

COLUMNS = (
    "Age SibSp Parch LogFare Sex_male Sex_female Pclass_1 Pclass_2 Pclass_3 Embarked_C Embarked_Q Embarked_S"
)

passengers = pd.read_csv(sys.argv[1])
print(passengers.isna().sum().to_dict())
modes = passengers.mode().iloc[0]
passengers = passengers.fillna(modes)
passengers["LogFare"] = np.log(passengers["Fare"] + 1)
passengers = pd.get_dummies(passengers, columns=["Sex", "Pclass", "Embarked"])

x = torch.tensor(passengers[COLUMNS.split()].to_numpy(float), dtype=torch.float)
maxima = x.max(dim=0).values
x = x / maxima
y = torch.tensor(passengers["Survived"].to_numpy())
fitted = {}
shuffled = torch.randperm(len(y), generator=torch.Generator().manual_seed(42))
valid, train = shuffled[: len(y) // 5], shuffled[len(y) // 5 :]


def fit(name, initialise, predict, epochs, learning_rate):
    coefficients = initialise(torch.Generator().manual_seed(442))
    for coefficient in coefficients:
        coefficient.requires_grad_()
    losses = []
    for _ in range(epochs):
        loss = (predict(x[train], *coefficients) - y[train]).abs().mean()
        loss.backward()
        with torch.no_grad():
            for coefficient in coefficients:
                coefficient.sub_(coefficient.grad * learning_rate)
                coefficient.grad.zero_()
        losses.append(f"{loss:.3f}")
    with torch.no_grad():
        accuracy = ((predict(x[valid], *coefficients) > 0.5) == y[valid]).float().mean()
    print(name, *losses, f"{accuracy:.4f}")
    fitted[name] = predict, coefficients


def one_layer(g):
    return [torch.rand(12, generator=g) - 0.5]


def matrix(g):
    return [torch.rand(12, 1, generator=g) * 0.1]


def two_layers(g):
    return [
        (torch.rand(12, 20, generator=g) - 0.5) / 20,
        torch.rand(20, 1, generator=g) - 0.3,
        torch.rand(1, generator=g),
    ]


def three_layers(g):
    sizes = [(12, 10), (10, 10), (10, 1)]
    layers = [(torch.rand(*size, generator=g) - 0.3) / size[1] * 4 for size in sizes]
    return layers + [(torch.rand(1, generator=g) - 0.5) * 0.1 for _ in sizes]


def net(x, a, b, k):
    return torch.sigmoid(torch.relu(x @ a) @ b + k).squeeze(1)


def deep(x, a, b, c, i, j, k):
    return torch.sigmoid(torch.relu(torch.relu(x @ a + i) @ b + j) @ c + k).squeeze(1)


fit("linear", one_layer, lambda x, c: (x * c).sum(dim=1), 18, 0.2)
fit("sigmoid", one_layer, lambda x, c: torch.sigmoid((x * c).sum(dim=1)), 30, 100)
fit("matmul", matrix, lambda x, c: torch.sigmoid(x @ c).squeeze(1), 30, 100)
fit("neural_net_slow", two_layers, net, 30, 1.4)
fit("neural_net", two_layers, net, 30, 20)
fit("deep", three_layers, deep, 30, 4)
