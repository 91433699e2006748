# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""The reference's side of tools/bench/large-sets.ts: plain logistic regression on embeddings, on request.

Each line of standard input is a task in JSON, each line of standard output its outcome:
    {"train", "test": paths of float32, "dimensions", "trainLabels", "testLabels"}  gives {"right": [...], "c", "cpuMs"}
C is the one with the least log loss on a fifth of the training samples, of 1, 3, 10, 30 and 100; then all of them are fitted.
"""

import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")


def fit(x, y, c):
    return LogisticRegression(C=c, max_iter=1000).fit(x, y)


def log_loss(model, x, y):
    """A class that the model has not seen has a probability of 1e-12."""
    place = {label: index for index, label in enumerate(model.classes_)}
    shares = model.predict_proba(x)
    own = [shares[row, place[label]] if label in place else 0 for row, label in enumerate(y)]
    return -np.log(np.maximum(1e-12, own)).mean()


def answer(task):
    x, asked = (np.fromfile(task[name], "<f4").reshape(-1, task["dimensions"]) for name in ("train", "test"))
    y = np.array(task["trainLabels"])
    began = time.process_time()
    order = np.random.default_rng(1).permutation(len(y))
    held, rest = np.split(order, [len(y) // 5])
    losses = {c: log_loss(fit(x[rest], y[rest], c), x[held], y[held]) for c in (1, 3, 10, 30, 100)}
    best = min(losses, key=losses.get)
    model = fit(x, y, best)
    cpu_ms = (time.process_time() - began) * 1000
    return {"right": (model.predict(asked) == np.array(task["testLabels"])).tolist(), "c": best, "cpuMs": cpu_ms}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
