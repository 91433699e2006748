# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""The stack that users come from: a sentence-embedding service of Flask and sentence-transformers, for gunicorn."""

import os

from flask import Flask, jsonify, request
from sentence_transformers import SentenceTransformer

app = Flask(__name__)
model = SentenceTransformer(os.environ["MODEL_PATH"], device="cpu")


@app.get("/v1/encode")
def encode():
    query = request.args.get("query", "").strip()
    if not query:
        return jsonify(errors={"query": ["required field"]}), 400
    return jsonify(query=query, encoding=model.encode(query, show_progress_bar=False).tolist())
