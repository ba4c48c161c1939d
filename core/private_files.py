"""Files and folders that only their owner may read: what a workspace holds is somebody's work and other people's texts.

A workspace folder is 0700. What is written into a private folder becomes private too, whatever the umask of the
process is; what is written elsewhere, such as an export into a shared folder, follows the umask. On Windows the rights
of the user's own folders are inherited, and nothing is done here.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from core.paths import user_data_dir

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_OTHERS = 0o077
_POSIX = sys.platform != "win32"


def make_private_folder(path: Path) -> None:
    """Make a folder, and missing ones above it; the folder itself is private where it is new.

    Raises:
        OSError: when it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    if _POSIX:
        path.chmod(FOLDER_MODE)  # the umask may have taken bits that the owner needs


def make_user_folder(path: Path) -> None:
    """Make a folder in the user's data folder, which is private from its first moment: caches tell names of files.

    Raises:
        OSError: when it cannot be made.
    """
    home = user_data_dir()
    make_private_folder(home)
    names = path.relative_to(home).parts
    for depth in range(len(names)):
        make_private_folder(home.joinpath(*names[: depth + 1]))


def create_private_file(path: Path) -> None:
    """Make an empty file that only the owner may read, so that a library which opens it later keeps the rights.

    Raises:
        OSError: when it exists or cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    if _POSIX:
        path.chmod(FILE_MODE)


def follow_folder(path: Path) -> None:
    """Make a new file or folder private where the folder that holds it is."""
    if not _POSIX:
        return
    with suppress(OSError):
        if not path.parent.stat().st_mode & _OTHERS:
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def make_folders(path: Path) -> None:
    """Make a folder, and missing ones above it, each private where the folder that holds it is.

    Raises:
        OSError: when one cannot be made.
    """
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            follow_folder(folder)


def tighten(folder: Path) -> int:
    """Take the rights of other users from a folder and all that it holds; return how many entries had some.

    Links are not followed. An entry of another owner is left as it is.
    """
    if not _POSIX:
        return 0
    count = _tighten_one(folder)
    for place, folders, files in os.walk(folder):
        count += sum(_tighten_one(Path(place, name)) for name in (*folders, *files))
    return count


def _tighten_one(path: Path) -> int:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or not mode & _OTHERS:
            return 0
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        return int(path.lstat().st_mode != mode)  # a file system without rights, such as exFAT, changes nothing
    except OSError:
        return 0
