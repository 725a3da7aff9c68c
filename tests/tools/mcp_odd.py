"""An MCP server that is described by JSON: what it lists, what it returns, and the form in which it writes.

python mcp_odd.py SPEC    with these members, all of them optional

tools: the list; page: how many are on a page; cycle: after the last page comes the first; pages_fail: it ends at the second
results, errors, raw: what a tool returns, the error that it answers with, or the very line, by its name
prompts: the list of prompts (they are a capability then); gives: what a prompt returns, by its name; resources: by their URI
style: the form (see `written`); deaf: it ignores its closed input and SIGTERM; pid: a file for its process id
slow: seconds until it answers the first request
greeting: the result of `initialize`

A tool without a result answers with its own name and its arguments.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

SPEC: dict[str, Any] = json.loads(sys.argv[1])
STYLE: str = SPEC.get("style", "plain")


def written(answer: dict[str, Any]) -> bytes:
    """The bytes of an answer, in the style of this server."""
    progress = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "working"}}
    plain = json.dumps(answer)
    match STYLE:
        case "bom":
            return b"\xef\xbb\xbf" + plain.encode() + b"\n"
        case "latin1":
            return json.dumps(answer, ensure_ascii=False).encode("latin-1") + b"\n"
        case "mixed":  # UTF-8, but for one byte
            return json.dumps(answer, ensure_ascii=False).encode().replace(b"caf\xc3\xa9", b"caf\xe9") + b"\n"
        case "pretty":
            return json.dumps(answer, indent=2).encode() + b"\n"
        case "pretty_crlf":
            return json.dumps(answer, indent=4).replace("\n", "\r\n\r\n").encode() + b"\r\n"
        case "batch":
            return json.dumps([progress, answer]).encode() + b"\n"
        case "pretty_batch":
            return json.dumps([progress, answer], indent=2).encode() + b"\n"
        case "listed":  # an array with one message a line
            return f"[\n  {json.dumps(progress)},\n  {plain}\n]\n".encode()
        case "log":
            return b"[INFO] serving {\n{\n" + plain.encode() + b"\n}\n[]\n{'a': 1}\n"
        case "glued":  # a line feed is missing
            return (json.dumps(progress) + plain + json.dumps(progress) + "\n").encode()
        case "trailing":
            return plain.encode() + b"\0 // sent\n"
        case "null_error":
            return json.dumps(answer | {"error": None}).encode() + b"\n"
        case "no_version":
            return json.dumps({key: value for key, value in answer.items() if key != "jsonrpc"}).encode() + b"\n"
        case "text_id":
            return json.dumps(answer | {"id": str(answer["id"])}).encode() + b"\n"
        case "float_id":
            return json.dumps(answer | {"id": float(answer["id"])}).encode() + b"\n"
        case "surrogate":
            return plain.replace("caf", "\\ud800caf").encode() + b"\n"
        case "nan":
            return json.dumps(answer | {"took": float("nan")}).encode() + b"\n"
    return plain.encode() + b"\n"


def main() -> None:
    """Serve."""
    if SPEC.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "pid" in SPEC:
        Path(SPEC["pid"]).write_text(str(os.getpid()))
    tools = SPEC.get("tools", [])
    for line in sys.stdin:
        request = json.loads(line)
        params = request.get("params") or {}
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        match request["method"]:
            case "initialize":
                time.sleep(SPEC.get("slow", 0))
                greeting = {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}} | {key: {} for key in ("prompts", "resources") if key in SPEC},
                    "serverInfo": {"name": "odd"},
                }
                answer["result"] = SPEC.get("greeting", greeting)
            case "tools/list" if isinstance(tools, list):
                if params.get("cursor") and SPEC.get("pages_fail"):
                    sys.exit("no more pages")
                first, size = int(params.get("cursor") or 0), SPEC.get("page", len(tools) or 1)
                answer["result"] = {"tools": tools[first : first + size]}
                if first + size < len(tools):
                    answer["result"]["nextCursor"] = str(first + size)
                elif SPEC.get("cycle"):
                    answer["result"]["nextCursor"] = "0"
            case "tools/list":
                answer["result"] = {"tools": tools}
            case "tools/call":
                name = params["name"]
                if name in SPEC.get("raw", {}):
                    sys.stdout.write(SPEC["raw"][name].replace("ID", str(request["id"])) + "\n")
                    sys.stdout.flush()
                    continue
                if name == "hang":
                    continue
                said = f"café {name} {json.dumps(params.get('arguments'))}"
                answer["result"] = SPEC.get("results", {}).get(name, {"content": [{"type": "text", "text": said}]})
                if name in SPEC.get("errors", {}):
                    del answer["result"]
                    answer["error"] = SPEC["errors"][name]
            case "prompts/list":
                answer["result"] = {"prompts": SPEC.get("prompts")}
            case "prompts/get":
                name = params["name"]
                if name == "hang":
                    continue
                said = f"café {name} {json.dumps(params.get('arguments'))}"
                message = {"role": "user", "content": {"type": "text", "text": said}}
                answer["result"] = SPEC.get("gives", {}).get(name, {"messages": [message]})
            case "resources/read" if params["uri"] in SPEC.get("resources", {}):
                answer["result"] = SPEC["resources"][params["uri"]]
            case _ if "id" in request:
                answer["error"] = {"code": -32601, "message": "unknown"}
            case _:
                continue
        sys.stdout.buffer.write(written(answer))
        sys.stdout.flush()
    while SPEC.get("deaf"):
        time.sleep(1)


if __name__ == "__main__":
    main()
