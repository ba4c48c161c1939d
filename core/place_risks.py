"""Folders that are no safe place for an open database: network drives and folders that another program synchronises.

SQLite's write-ahead log needs memory that all openers share, which network file systems do not give, and a sync program
may replace the file while it is open or copy it without its log.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

_NETWORK = {
    "nfs": "NFS", "nfs3": "NFS", "nfs4": "NFS", "cifs": "SMB", "smb": "SMB", "smb2": "SMB", "smb3": "SMB",
    "smbfs": "SMB",
    "afpfs": "AFP", "fuse.sshfs": "sshfs", "sshfs": "sshfs", "osxfuse": "a mounted remote folder",
    "macfuse": "a mounted remote folder", "fuse.rclone": "rclone", "davfs": "WebDAV", "fuse.davfs": "WebDAV",
    "webdav": "WebDAV", "9p": "a shared folder of a virtual machine", "vboxsf": "a shared folder of a virtual machine",
    "prl_fs": "a shared folder of a virtual machine", "fuse.vmhgfs-fuse": "a shared folder of a virtual machine",
    "afs": "AFS", "ceph": "CephFS", "fuse.ceph": "CephFS", "fuse.glusterfs": "GlusterFS", "glusterfs": "GlusterFS",
    "lustre": "Lustre", "fuse.gvfsd-fuse": "a network place of the desktop", "fuse.s3fs": "S3", "ncpfs": "NetWare",
}  # fmt: skip
"""File system types of a network, with their names for people."""
_SYNC_MARKERS = {
    ".stfolder": "Syncthing", ".stignore": "Syncthing", ".dropbox": "Dropbox", ".dropbox.cache": "Dropbox",
    ".nextcloudsync.log": "Nextcloud", ".owncloudsync.log": "ownCloud", ".seafile-data": "Seafile",
    ".tmp.driveupload": "Google Drive", ".tmp.drivedownload": "Google Drive", "desktop.ini.onedrive": "OneDrive",
}  # fmt: skip
"""Entries that a sync program keeps in the top folder of what it synchronises."""
_SYNC_PATTERNS = ((".sync_*.db", "Nextcloud"), ("._sync_*.db", "Nextcloud"), ("_sync_*.db", "Nextcloud"))
_SYNC_NAMES = {
    "dropbox": "Dropbox", "onedrive": "OneDrive", "nextcloud": "Nextcloud", "owncloud": "ownCloud",
    "icloud drive": "iCloud", "iclouddrive": "iCloud", "mobile documents": "iCloud", "com~apple~clouddocs": "iCloud",
    "google drive": "Google Drive", "googledrive": "Google Drive", "my drive": "Google Drive", "syncthing": "Syncthing",
    "box sync": "Box", "pclouddrive": "pCloud", "megasync": "MEGA", "seafile": "Seafile",
}  # fmt: skip
"""Names that a sync program gives its top folder; "OneDrive - Company" and "Dropbox (Company)" count too."""


@dataclass(frozen=True, slots=True)
class PlaceRisk:
    """Why a folder is no safe place: ``kind``, and ``name`` of the file system or of the program."""

    kind: Literal["network", "sync"]
    name: str

    @property
    def words(self) -> str:
        """One sentence with what to do."""
        if self.kind == "network":
            return (
                f"This folder lies on a network drive ({self.name}), where an open workspace can be damaged. "
                "Keep the workspace on a local disk, and its backups on the network."
            )
        return (
            f"{self.name} synchronises this folder, and may replace the workspace while it is open. Keep the workspace "
            "in a folder that is not synchronised, or pause the synchronisation while you work."
        )


def place_risks(folder: Path) -> list[PlaceRisk]:
    """Return why ``folder`` is no safe place for a workspace; empty for an ordinary local folder. Reads no file."""
    path = folder.expanduser().absolute()
    with suppress(OSError):
        path = path.resolve()
    found = [PlaceRisk("network", name) for name in [_network(path)] if name]
    return found + [PlaceRisk("sync", name) for name in [_sync_program(path)] if name]


def _network(path: Path) -> str:
    if sys.platform == "win32" and str(path).startswith("\\\\"):
        return "SMB"
    return _NETWORK.get(_file_system(path, _mounts()), "")


def _mounts() -> list[tuple[Path, str]]:
    """Return mount point and file system type of everything that is mounted."""
    with suppress(OSError, psutil.Error):
        return [(Path(part.mountpoint), _type(part)) for part in psutil.disk_partitions(all=True)]
    return []


def _type(part: object) -> str:
    """Return the type of a mounted file system; Windows tells a network drive among its options."""
    return "smb" if "remote" in getattr(part, "opts", "").split(",") else str(getattr(part, "fstype", "")).lower()


def _file_system(path: Path, mounts: list[tuple[Path, str]]) -> str:
    """Return the type of the file system that holds a path: that of the deepest mount point above it, the last one."""
    above = [(len(point.parts), number, kind) for number, (point, kind) in enumerate(mounts) if _is_above(point, path)]
    return max(above)[2] if above else ""


def _is_above(point: Path, path: Path) -> bool:
    return path == point or point in path.parents


def _sync_program(path: Path) -> str:
    for folder in (path, *path.parents):
        if name := _named(folder.name) or _marked(folder):
            return name
    return ""


def _named(name: str) -> str:
    plain = name.lower()
    for beginning in (" - ", " ("):
        plain = plain.partition(beginning)[0]
    before = plain.partition("-")[0]  # macOS: OneDrive-Company, GoogleDrive-name@example.com
    return _SYNC_NAMES.get(plain.strip(), "") or (_SYNC_NAMES[before] if before in ("onedrive", "googledrive") else "")


def _marked(folder: Path) -> str:
    try:
        names = {entry.name.lower() for entry in os.scandir(folder) if entry.name.startswith((".", "_", "desktop"))}
    except OSError:
        return ""
    for marker, name in _SYNC_MARKERS.items():
        if marker in names:
            return name
    return next((name for pattern, name in _SYNC_PATTERNS for entry in names if Path(entry).match(pattern)), "")
