# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""spaCy's side of tools/bench/entities.ts: prints the entities of the annotated sentences as JSON, by sentence.

Run with spaCy and the model, by name or by its folder (https://github.com/explosion/spacy-models):
    pip install spacy && python -m spacy download en_core_web_sm
    python tools/bench/entities/spacy_entities.py [model] > spacy.json
spaCy has no label for relatives.
"""

import json
import pathlib
import re
import sys

import spacy

TYPE_OF_LABEL = {"PERSON": "person", "GPE": "place", "LOC": "place", "FAC": "place", "ORG": "organisation"}

nlp = spacy.load(sys.argv[1] if len(sys.argv) > 1 else "en_core_web_sm")
findings = {}
for half in ("tuning", "held-out"):
    for line in (pathlib.Path(__file__).parent / f"{half}.txt").read_text(encoding="utf-8").splitlines():
        text = re.sub(r"\[([^|\]]+)\|[^\]]+\]", r"\1", line)
        findings[text] = [
            {"type": TYPE_OF_LABEL[entity.label_], "text": entity.text}
            for entity in nlp(text).ents
            if entity.label_ in TYPE_OF_LABEL
        ]
json.dump(findings, sys.stdout, ensure_ascii=False)
