"""Verifies webhooks with the library of Standard Webhooks.

Reads {secret, cases: [{name, headers, body}]} from stdin; what is wrong goes to stdout, one line each.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

given = json.load(sys.stdin)
webhook = Webhook(given["secret"])
for case in given["cases"]:
    try:
        webhook.verify(case["body"], case["headers"])
    except WebhookVerificationError as error:
        print(f"{case['name']}: {error}")
    try:
        webhook.verify(case["body"] + " ", case["headers"])
        print(f"{case['name']}: a changed body passes too")
    except WebhookVerificationError:
        pass
print(f"checked {len(given['cases'])}")
