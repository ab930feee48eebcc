"""Validates Slack messages with the block models of Slack's own SDK.

Reads a list of {name, payload} from stdin; what is wrong goes to stdout, one line each.
"""

import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block


def check(payload):
    blocks = payload.get("blocks", [])
    parsed = Block.parse_all(blocks)
    if len(parsed) != len(blocks):
        yield "some blocks are of a type that the SDK does not know"
    for given, block in zip(blocks, parsed):
        try:
            block.validate_json()
        except SlackObjectFormationError as error:
            yield f"{given['type']}: {error}"
        if block.to_dict().get("type") != given["type"]:
            yield f"{given['type']} is read as {block.to_dict().get('type')}"
    if not 0 < len(payload["text"]) <= 40000:
        yield "the text is empty or too long"


cases = json.load(sys.stdin)
for case in cases:
    for problem in check(case["payload"]):
        print(f"{case['name']}: {problem}")
print(f"checked {len(cases)}")
