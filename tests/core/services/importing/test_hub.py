"""A dataset of the hub: its files are listed, fetched whole or continued, checked, and imported with their origin."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from core.domain.errors import BadInput, NotFound, UserError
from core.hub import is_own_host
from core.runs.child_processes import request
from core.services.application import Application
from core.services.importing import hub as hub_service
from core.services.importing.hub import HubDataset
from core.services.importing.hub_worker import answer
from tests.fakes.fresh import fresh
from tests.fakes.hub_server import COMMIT, REPO, FakeHub, serving

ROWS = "".join(json.dumps({"prompt": f"q{i}", "chosen": f"good {i}", "rejected": f"bad {i}"}) + "\n" for i in range(50))
DATA = ROWS.encode()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub whose child is this process: the same code, without a second interpreter for each test."""

    def here(_: str, asked: dict[str, Any], *, environment: dict[str, str], **words: Any) -> Any:
        assert "HF_HUB_OFFLINE" not in environment
        return answer(asked, words["on_progress"] or (lambda *_: None))

    monkeypatch.setattr(hub_service, "run_in_subprocess", here)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    kind = type(huggingface_hub.get_session())
    files = {"data/train.jsonl": DATA, "README.md": b"# card", "load.py": b"raise SystemExit"}
    with serving(FakeHub(files, card={"license": "cc-by-4.0"})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served
    huggingface_hub.set_client_factory(kind)


def fetch(app: Application, *paths: str) -> list[Path]:
    return app.imports.download(app.imports.hub_dataset(REPO), paths or ("data/train.jsonl",))


def test_that_the_files_are_listed_with_size_and_whether_they_can_be_imported(app: Application, hub: FakeHub) -> None:
    hub.files |= {"dataset_infos.json": b"{}", ".hidden.jsonl": b"{}", "../out.jsonl": b"{}", "b.csv.gz": b"x"}
    found = app.imports.hub_dataset(REPO)
    assert (found.commit, found.licence, found.endpoint) == (COMMIT, "cc-by-4.0", hub.address)
    assert [file.path for file in found.readable] == ["b.csv.gz", "data/train.jsonl"]
    assert {file.path: file.size for file in found.files}["data/train.jsonl"] == len(DATA)
    assert len(found.files) == len(hub.files)
    assert not any("resolve" in path for path, _ in hub.asked)


@pytest.mark.parametrize("large", [True, False])
def test_that_the_source_of_a_fetched_file_names_dataset_commit_file_and_licence(
    app: Application, hub: FakeHub, large: bool
) -> None:
    hub.large = large
    (place,) = fetch(app)
    assert place.read_bytes() == DATA
    assert app.imports.preview(place).name == f"{REPO} data/train"
    report = app.imports.run(place).value
    assert (report.imported, report.source_name) == (50, f"{REPO} data/train")
    (source,) = app.imports.sources()
    assert source.licence == "cc-by-4.0"
    assert source.file_name == f"hf://datasets/{REPO}@{COMMIT}/data/train.jsonl"


def test_that_a_licence_that_is_given_counts_and_other_files_have_no_origin(
    app: Application, hub: FakeHub, tmp_path: Path
) -> None:
    assert app.imports.run(fetch(app)[0], licence="mine").value.imported == 50
    (tmp_path / "own.jsonl").write_text(ROWS.replace("good", "fine"))
    app.imports.run(tmp_path / "own.jsonl")
    assert [s.licence for s in app.imports.sources()] == ["mine", ""]
    assert app.imports.sources()[1].file_name == "own.jsonl"


def test_that_a_download_that_was_cut_off_goes_on_from_there(app: Application, hub: FakeHub) -> None:
    hub.cut_after = 700
    with pytest.raises(UserError, match=r"cut off after 700 of .* bytes\. They are kept"):
        fetch(app)
    assert not list((app.folder / "downloads").rglob("train.jsonl"))
    hub.cut_after = None
    assert fetch(app)[0].read_bytes() == DATA
    assert [asked for path, asked in hub.asked if "resolve" in path] == ["", "bytes=700-"]
    before = len(hub.asked)
    assert fetch(app)[0].read_bytes() == DATA
    assert not any("resolve" in path for path, _ in hub.asked[before:]), "a file that is there is not fetched again"


def test_that_finished_downloads_are_removed_and_those_that_go_on_or_are_needed_stay(
    app: Application, hub: FakeHub
) -> None:
    hub.files |= {"b.jsonl": DATA.replace(b"good", b"fine"), "c.jsonl": DATA.replace(b"good", b"nice")}
    (place,) = fetch(app)
    (other,) = fetch(app, "b.jsonl")
    hub.cut_after = 700
    with pytest.raises(UserError):
        fetch(app, "c.jsonl")
    app.imports.run(place)
    asked = iter([False, True, True])
    app.imports.run(other, cancelled=lambda: next(asked, True))
    left = app.imports.unfinished()
    found = {one.path.name: one for one in app.imports.downloads()}
    assert {name: (one.whole, one.needed) for name, one in found.items()} == {
        "train.jsonl": (True, False), "b.jsonl": (True, bool(left)), ".c.jsonl.part": (False, False)
    }  # fmt: skip
    assert all(one.address.startswith(f"hf://datasets/{REPO}@") for one in found.values())
    (finding,) = [one for one in app.workspace.check().findings if one.check == "downloads"]
    assert finding.message.startswith("3 downloaded files in downloads take ")
    assert not finding.serious
    app.imports.clear_downloads()
    kept = {one.path.name for one in app.imports.downloads()}
    assert kept == {".c.jsonl.part"} | ({"b.jsonl"} if left else set())
    for one in left:
        app.imports.give_up(one.source_id)
    app.imports.clear_downloads(parts=True)
    assert app.imports.downloads() == []
    assert not list((app.folder / "downloads").rglob("*")), "no empty folder and no note stay"
    assert app.pairs.count() >= 50
    assert not [one for one in app.workspace.check().findings if one.check == "downloads"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_that_clearing_downloads_follows_no_link_out_of_the_folder(
    app: Application, hub: FakeHub, tmp_path: Path
) -> None:
    (place,) = fetch(app)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept.jsonl").write_text("{}")
    (place.parent / "link").symlink_to(tmp_path / "mine", target_is_directory=True)
    (place.parent / "file.jsonl").symlink_to(tmp_path / "mine" / "kept.jsonl")
    app.imports.clear_downloads(parts=True)
    assert (tmp_path / "mine" / "kept.jsonl").read_text() == "{}"


def test_that_a_hub_that_knows_no_ranges_sends_the_file_again(app: Application, hub: FakeHub) -> None:
    hub.cut_after = 700
    with pytest.raises(UserError):
        fetch(app)
    hub.cut_after, hub.ignores_ranges = None, True
    assert fetch(app)[0].read_bytes() == DATA


def test_that_no_other_host_is_asked(app: Application, hub: FakeHub) -> None:
    with serving(FakeHub({})) as other:
        hub.redirect = f"{other.address}/train.jsonl"
        with pytest.raises(UserError, match="another host; nothing was asked of it"):
            fetch(app)
        assert other.asked == []


@pytest.mark.parametrize("large", [True, False])
def test_that_another_content_than_the_hub_names_is_not_kept(app: Application, hub: FakeHub, large: bool) -> None:
    hub.large, hub.swapped = large, DATA.replace(b"good 7", b"evil 7")
    with pytest.raises(BadInput, match="not what the hub says"):
        fetch(app)
    assert not [path for path in (app.folder / "downloads").rglob("*") if "train" in path.name]


def test_that_never_more_is_written_than_the_size_that_was_named(app: Application, hub: FakeHub) -> None:
    hub.listed_size = 100
    with pytest.raises(BadInput, match="sends more"):
        fetch(app)
    hub.listed_size = 1 << 50
    with pytest.raises(UserError, match="more than the"):
        fetch(app)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ((401, ""), "no public dataset"),
        ((404, "RepoNotFound"), "no public dataset"),
        ((403, "GatedRepo"), "is gated"),
        ((503, ""), "answered with error 503"),
    ],
)
def test_that_a_refusal_of_the_hub_is_told(
    app: Application, hub: FakeHub, refused: tuple[int, str], words: str
) -> None:
    dataset = app.imports.hub_dataset(REPO)
    hub.refuse_files = refused
    with pytest.raises(UserError, match=words):
        app.imports.download(dataset, ["data/train.jsonl"])
    hub.refuse = refused
    with pytest.raises(UserError, match=words):
        app.imports.hub_dataset(REPO)


def test_that_unknown_names_revisions_and_files_are_told(app: Application, hub: FakeHub) -> None:
    with pytest.raises(NotFound, match="no public dataset ann/other"):
        app.imports.hub_dataset("ann/other")
    with pytest.raises(NotFound, match="no revision 'v9'"):
        app.imports.hub_dataset(REPO, "v9")
    with pytest.raises(NotFound, match="no file 'x'"):
        fetch(app, "x")
    with pytest.raises(BadInput, match="no data file"):
        fetch(app, "load.py")
    with pytest.raises(BadInput, match="no dataset name"):
        app.imports.hub_dataset("../etc")


def test_that_a_hub_that_cannot_be_reached_is_told(app: Application, hub: FakeHub, monkeypatch) -> None:
    with serving(FakeHub({})) as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.address)
    with pytest.raises(UserError, match="cannot be reached"):
        app.imports.hub_dataset(REPO)


def test_that_a_cancelled_download_is_said_to_go_on(app: Application, hub: FakeHub, monkeypatch) -> None:
    dataset: HubDataset = app.imports.hub_dataset(REPO)

    def killed(*_: object, **__: object) -> None:
        raise request.Cancelled("Cancelled; nothing was changed.")

    monkeypatch.setattr(hub_service, "run_in_subprocess", killed)
    with pytest.raises(request.Cancelled, match="What has arrived is kept"):
        app.imports.download(dataset, ["data/train.jsonl"])


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://huggingface.co/x", True),
        ("https://cas-bridge.xethub.hf.co/x", True),
        ("http://huggingface.co/x", False),
        ("https://huggingface.co:8443/x", False),
        ("https://nothf.co/x", False),
        ("https://huggingface.co@elsewhere.net/x", False),
        ("https://169.254.169.254/x", False),
    ],
)
def test_which_hosts_belong_to_the_public_hub(url: str, own: bool) -> None:
    assert is_own_host(url, "https://huggingface.co") is own


def test_that_the_child_process_fetches_although_this_process_is_offline(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeHub({"train.jsonl": DATA})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        seen: list[int] = []
        dataset = app.imports.hub_dataset(REPO)
        (place,) = app.imports.download(dataset, ["train.jsonl"], on_progress=lambda done, *_: seen.append(done))
    assert place.read_bytes() == DATA
    assert seen[-1] == len(DATA)
