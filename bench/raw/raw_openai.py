"""The same with the official SDK, as its documentation shows it: `raw_openai.py URL MODEL PROMPT`."""

from __future__ import annotations

import sys

from openai import OpenAI

url, model, prompt = sys.argv[1:]
for event in OpenAI(base_url=url).responses.create(model=model, input=prompt, stream=True):
    if event.type == "response.output_text.delta":
        sys.stdout.write(event.delta)
        sys.stdout.flush()
sys.stdout.write("\n")
