"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.errors import ExportError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    A reader of `path` sees the old file or the whole new one, never a part. Missing folders are made.

    Raises
    ------
    ExportError
        If the file cannot be written; the message names it.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror or error}") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def require_writable(directory: str | Path, names: Iterable[str] = ()) -> None:
    """Try a folder before the work whose results go there: make it where it is missing, and write into it.

    Parameters
    ----------
    directory : str or Path
        The folder.
    names : iterable of str
        Files that will be written into it.

    Raises
    ------
    ExportError
        If it is a file, cannot be made or written into, or holds a folder of one of the names.
    """
    folder = Path(directory)
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is a file: name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ExportError(f"{folder} cannot be written into: {error.strerror or error}; name another folder") from error
    for name in names:
        if (folder / name).is_dir():
            raise ExportError(f"{folder / name} is a folder, and a file goes there: remove it, or name another folder")


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
