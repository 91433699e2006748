# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""The reference's side of tools/bench/mentors.ts: sentence-transformers and scikit-learn, on request.

Each line of standard input is a task in JSON, each line of standard output its outcome:
    {"texts": [...], "labels": [...]}  embeds and trains: {"encodeMs", "fitMs", "searchMs"}
    {"folder": "..."}                  trains on embeddings that are there: {"fitMs", "ridgeMs"}
fitMs is one fit of LogisticRegression(C=10); searchMs chooses C among three by the log loss of three folds, and fits.
The first line that it prints tells the versions, once the model is loaded.
"""

import json
import os
import pathlib
import sys
import time
import warnings

import numpy as np
import sentence_transformers
import sklearn
import torch
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeClassifier
from sklearn.model_selection import StratifiedKFold

warnings.filterwarnings("ignore")


def timed(work):
    start = time.perf_counter()
    return work(), (time.perf_counter() - start) * 1000


def train(model, texts, labels):
    x, encode_ms = timed(lambda: model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False))
    _, fit_ms = timed(lambda: LogisticRegression(C=10, max_iter=1000).fit(x, labels))
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    search = LogisticRegressionCV(Cs=[3, 10, 30], cv=folds, scoring="neg_log_loss", max_iter=1000)
    _, search_ms = timed(lambda: search.fit(x, labels))
    return {"encodeMs": encode_ms, "fitMs": fit_ms, "searchMs": search_ms}


def train_ready(folder):
    labels = json.loads((folder / "labels.json").read_text())
    x = np.fromfile(folder / "train.f32", "<f4").reshape(len(labels["train"]), labels["dimensions"])
    _, fit_ms = timed(lambda: LogisticRegression(C=10, max_iter=1000).fit(x, labels["train"]))
    _, ridge_ms = timed(lambda: RidgeClassifier(alpha=1).fit(x, labels["train"]))
    return {"fitMs": fit_ms, "ridgeMs": ridge_ms}


def say(value):
    print(json.dumps(value), flush=True)


def main():
    model = sentence_transformers.SentenceTransformer(os.environ["MODEL_PATH"], device="cpu")
    model.encode(["warm up"], show_progress_bar=False)
    versions = [("sentence-transformers", sentence_transformers), ("PyTorch", torch), ("scikit-learn", sklearn)]
    say({"versions": ", ".join(f"{name} {module.__version__}" for name, module in versions)})
    for line in sys.stdin:
        task = json.loads(line)
        if "texts" in task:
            say(train(model, task["texts"], task["labels"]))
        else:
            say(train_ready(pathlib.Path(task["folder"])))


main()
