# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""What Schemathesis has to be told to write bodies of JSON lines."""

import json

import schemathesis


@schemathesis.serializer("application/jsonl", "application/x-jsonlines", "application/x-ndjson")
def json_lines(_context, value):
    """A text is lines already; anything else is one line."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")
