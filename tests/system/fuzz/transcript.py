"""A transcript: it is loaded, or refused in one line; what is loaded can be told as records that conform to the script."""

from __future__ import annotations

from pathlib import Path

from asstproxy import SessionError, conform
from asstproxy.core.codec import decode, encode
from asstproxy.store.imports import synthesize_records
from asstproxy.store.transcript import TranscriptBuilder
from asstproxy.store.transcript_file import load_transcript, to_json

SEEDS = [file.read_bytes() for file in sorted(Path(__file__).parents[2].glob("fixtures/transcripts/*.json"))]
FOUND = [b'{"format":"asst-transcript","version":0}', b'{"format":"asst-transcript","version":-7}']


def target(data: bytes) -> None:
    """Load it, tell it, fold what was told, and write it."""
    try:
        transcript = load_transcript(data, "t.json")
    except SessionError:
        return
    records = list(synthesize_records(transcript))
    assert list(conform(records)) == []
    fold = TranscriptBuilder(transcript.id)
    for record in records:
        assert decode(encode(record)) == record
        fold.feed(record)
    assert len(fold.transcript.exchanges) == len(transcript.exchanges)
    again = load_transcript(to_json(transcript), "t.json")
    assert to_json(again) == to_json(transcript)
