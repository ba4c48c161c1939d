"""The child process that writes TensorBoard event files or a trackio project; only its starter knows its name."""

from __future__ import annotations

import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.runs.child_processes.request import Progress, serve


def write(request: dict[str, Any], progress: Progress) -> int:
    """Write the points of the request in its form; return how many moments."""
    points: list[dict[str, Any]] = request["points"]
    progress(0, len(points), "Writing the numbers")
    if request["form"] == "tensorboard":
        _tensorboard(Path(request["target"]), request["name"], request["config"], points)
    else:
        _trackio(request["project"], request["name"], request["config"], points)
    progress(len(points), len(points), "Done")
    return len(points)


def _tensorboard(target: Path, name: str, config: dict[str, Any], points: list[dict[str, Any]]) -> None:
    """Write one event file: a scalar for each number, and the settings as a text."""
    parts = ("event_pb2", "summary_pb2", "tensor_pb2")
    events, summaries, tensors = (_module(f"tensorboard.compat.proto.{part}") for part in parts)
    make_event, summary, metadata_of = events.Event, summaries.Summary, summaries.SummaryMetadata
    writer = _module("tensorboard.summary.writer.event_file_writer").EventFileWriter(str(target / _file_name(name)))
    first = points[0]["at_s"]
    text = "\n".join(f"    {line}" for line in json.dumps(config, indent=2, sort_keys=True).splitlines())
    metadata = metadata_of(plugin_data=metadata_of.PluginData(plugin_name="text"))
    tensor = tensors.TensorProto(dtype="DT_STRING", string_val=[text.encode()])
    settings = summary(value=[summary.Value(tag="settings", metadata=metadata, tensor=tensor)])
    writer.add_event(make_event(wall_time=first, step=0, summary=settings))
    for point in points:
        values = [summary.Value(tag=tag, simple_value=value) for tag, value in point["values"].items()]
        writer.add_event(make_event(wall_time=point["at_s"], step=point["step"], summary=summary(value=values)))
    writer.close()


def _trackio(place: str, name: str, config: dict[str, Any], points: list[dict[str, Any]]) -> None:
    """Write the project's database in ``TRACKIO_DIR``; no server is started and nothing is sent."""
    _module("trackio.sqlite_storage").SQLiteStorage.bulk_log(
        project=place,
        run=name,
        metrics_list=[point["values"] for point in points],
        steps=[point["step"] for point in points],
        timestamps=[datetime.fromtimestamp(point["at_s"], UTC).isoformat() for point in points],
        config=config,
    )


def _module(name: str) -> Any:
    """Return a module of an optional extra, which the starter of this process has looked for."""
    return importlib.import_module(name)


def _file_name(name: str) -> str:
    """Return a run's name as the name of a folder."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or "run"


if __name__ == "__main__":
    sys.exit(serve(write))
