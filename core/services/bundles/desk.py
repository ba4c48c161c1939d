"""Desks: a workspace made of a bundle, which labels offline, and the file with what it labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.pair import Response
from core.services.bundles.bundle_file import BundleFile, read_bundle, write_bundle
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.store import bundles, events
from core.store.chain_head import chain_head
from core.store.desks import replay, work
from core.store.import_rows import NewPair, NewRow, NewSource
from core.store.imports import add_batch, open_source
from core.store.sqlite.database import Session, Store
from core.version import VERSION


def open_desk(path: Path, folder: Path) -> dict[str, Any]:
    """Make a workspace at ``folder`` of a bundle and return its manifest.

    Raises:
        BadInput: the file is no bundle of work or was altered, or the folder is not empty.
        StorageFull, UserError: the workspace could not be written.
    """
    file, folder = read_bundle(path, "work"), Path(folder).expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is not an empty folder; nothing was written there.", "Choose a new folder.")
    pairs = [_pair(line) for line in file.of_kind("pair")]
    name = f"{file.manifest['batch']} - {file.manifest['reviewer']}"
    with Store.open(folder, create=True, name=name, version=VERSION) as store:
        store.write(lambda session: _fill(session, store, file, pairs), "opening a review bundle")
    return dict(file.manifest)


def send_back(store: Store, path: Path) -> dict[str, Any]:
    """Write what a desk labelled, with its hash chain, and return the manifest.

    Raises:
        NotFound: the workspace is no desk.
        BadInput: another file is at ``path``.
    """
    with store.read() as session:
        bundle = bundles.opened_here(session)
        tables = replay.rows_of(session)
        manifest = {
            "bundle": bundle.uid, "bundle_sha256": bundle.sha256, "home_uuid": bundle.home_uuid,
            "desk_uuid": store.uuid, "chain_head": chain_head(session).words, "batch": bundle.batch,
            "reviewer": bundle.reviewer, "judgements": len(tables.get("judgement", {}).get("rows", ())),
        }  # fmt: skip
    write_bundle(path, "return", manifest, [{"table": name, **held} for name, held in sorted(tables.items())])
    return manifest


def _pair(line: Any) -> NewPair:
    try:
        parsed = ParsedPair(Prompt.from_plain(line["prompt"]), Response(line["a"]), Response(line["b"]))
        found = prepare(parsed)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"This bundle holds a pair that cannot be read ({error}).", "Ask for the file again.") from error
    if found.sha256 != line.get("sha256"):
        raise BadInput("This bundle holds a pair that is not what was exported.", "Ask for the file again.")
    return found


def _fill(session: Session, store: Store, file: BundleFile, pairs: list[NewPair]) -> None:
    context, manifest = store.write_context(), file.manifest
    (reviewer,), (rubric,), (batch,) = (file.of_kind(kind) for kind in ("reviewer", "rubric", "batch"))
    ids = work.store_people(session, reviewer, rubric, context)
    new = NewSource(f"Bundle {manifest['batch']}", "", file.path.name, file.sha256, "bundle")
    target = open_source(session, new, context)
    add_batch(session, target, [NewRow(line, (pair,)) for line, pair in enumerate(pairs, 1)], context)
    home = str(manifest["home_uuid"])
    batch_id, slot_ids = work.store_batch(session, batch, file.of_kind("slot"), ids, home, context)
    bundles.add(
        session, str(manifest["bundle"]), "opened", batch_id, ids[0], home, str(manifest["chain_head"]), file.sha256,
        slot_ids, context,
    )  # fmt: skip
    summary = f"Opened {len(slot_ids):,} slots of {manifest['reviewer']} in {manifest['batch']}"
    events.log(session, context, "bundle.open", summary, subject="batch", subject_id=batch_id)
