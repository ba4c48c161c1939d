"""Network drives and synchronised folders are told; ordinary folders are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import place_risks as module
from core.place_risks import place_risks


def mounted(monkeypatch: pytest.MonkeyPatch, *parts: tuple[str, str]) -> None:
    monkeypatch.setattr(module, "_mounts", lambda: [(Path(point), kind) for point, kind in parts])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("nfs4", "NFS"),
        ("cifs", "SMB"),
        ("smb3", "SMB"),
        ("fuse.sshfs", "sshfs"),
        ("fuse.rclone", "rclone"),
        ("davfs", "WebDAV"),
        ("9p", "a shared folder of a virtual machine"),
    ],
)
def test_that_a_network_drive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    mounted(monkeypatch, ("/", "ext4"), (str(tmp_path), kind))
    (risk,) = place_risks(tmp_path / "team" / "ws")
    assert (risk.kind, risk.name) == ("network", name)
    assert "local disk" in risk.words


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "overlay", "tmpfs", "apfs", "ntfs", "zfs", "fuseblk", ""])
def test_that_a_local_disk_is_no_risk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    mounted(monkeypatch, ("/", "nfs4"), (str(tmp_path), kind))
    assert place_risks(tmp_path / "ws") == []


def test_that_the_last_of_two_mounts_at_one_point_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(monkeypatch, (str(tmp_path), "ext4"), (str(tmp_path), "nfs"))
    assert place_risks(tmp_path)[0].name == "NFS"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Dropbox/labels/ws", "Dropbox"),
        ("Dropbox (Example Ltd)/ws", "Dropbox"),
        ("OneDrive - Example Ltd/ws", "OneDrive"),
        ("OneDrive/ws", "OneDrive"),
        ("Library/CloudStorage/OneDrive-Example/ws", "OneDrive"),
        ("Library/Mobile Documents/com~apple~CloudDocs/ws", "iCloud"),
        ("iCloudDrive/ws", "iCloud"),
        ("Nextcloud/ws", "Nextcloud"),
        ("Google Drive/ws", "Google Drive"),
    ],
)
def test_that_a_sync_folder_is_told_by_its_name(tmp_path: Path, folder: str, name: str) -> None:
    assert [(r.kind, r.name) for r in place_risks(tmp_path / folder)] == [("sync", name)]


@pytest.mark.parametrize(
    ("marker", "name"),
    [
        (".stfolder", "Syncthing"),
        (".dropbox.cache", "Dropbox"),
        (".sync_0123456789ab.db", "Nextcloud"),
        ("._sync_0123456789ab.db", "Nextcloud"),
        (".owncloudsync.log", "ownCloud"),
    ],
)
def test_that_a_sync_folder_is_told_by_what_its_program_keeps_there(tmp_path: Path, marker: str, name: str) -> None:
    (tmp_path / marker).write_text("")
    assert [r.name for r in place_risks(tmp_path / "deep" / "ws")] == [name]


@pytest.mark.parametrize("folder", ["dropbox-papers", "my onedrive notes", "syncthings", "nextclouds", "drive"])
def test_that_a_name_that_only_begins_alike_is_no_risk(tmp_path: Path, folder: str) -> None:
    assert place_risks(tmp_path / folder) == []
