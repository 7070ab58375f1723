"""A records file of as many healthy requests as one likes."""

from pathlib import Path

import msgspec

from go_live.records import Record


def write(path: Path, requests: int) -> None:
    """Write a soak of so many requests at c=2, each with all that a live endpoint tells of it."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for seq in range(requests):
            due = seq * 1.75
            record = Record(
                seq=seq,
                phase="soak",
                level="c=2",
                due=due,
                wall=1.76e9 + due,
                sent=due + 0.001,
                done=due + 3.45 + seq * 37 % 1000 / 1e4,
                execution_ms=2788 + seq * 37 % 60,
                delay_ms=5 + seq % 3,
                output_tokens=150,
                http_status=200,
                job_status="COMPLETED",
                job=f"{seq:032x}-u1",
                worker=f"w{seq % 2}",
                answer="0123456789abcdef",
            )
            file.write(encoder.encode(record) + b"\n")
