"""The least that a Responses client can be with httpx2: `raw_httpx2.py URL MODEL PROMPT`."""

from __future__ import annotations

import json
import sys

import httpx2

url, model, prompt = sys.argv[1:]
body = {"model": model, "input": prompt, "stream": True}
# The address is a plain one, so nobody reads certificates: asst does not, and neither does the limit it is measured by.
with httpx2.Client(verify=False, timeout=60) as client, client.stream("POST", f"{url}/responses", json=body) as reply:
    for line in reply.iter_lines():
        if line.startswith("data: "):
            event = json.loads(line[6:])
            if event["type"] == "response.output_text.delta":
                sys.stdout.write(event["delta"])
                sys.stdout.flush()
sys.stdout.write("\n")
