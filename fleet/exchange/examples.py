"""The shipped example inventories, in an installed package as in a clone."""

from __future__ import annotations

import shutil
from pathlib import Path

from fleet.errors import ExportError, UnknownIdError
from fleet.exchange.files import require_writable

_PACKAGE = Path(__file__).resolve().parent.parent


def _shelf() -> Path:
    packaged = _PACKAGE / "_examples"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "data"


def example_names() -> tuple[str, ...]:
    """The examples there are."""
    shelf = _shelf()
    return tuple(sorted(folder.name for folder in shelf.iterdir() if (folder / "sites.csv").is_file()))


def example_folder(name: str) -> Path:
    """Where the example of that name lies.

    Raises
    ------
    UnknownIdError
        If there is none.
    """
    if name not in example_names():
        raise UnknownIdError("example", name)
    return _shelf() / name


def copy_example(name: str, directory: str | Path) -> Path:
    """Copy an example into `directory`, which must be new or empty; returns the folder.

    Raises
    ------
    UnknownIdError
        If there is no such example.
    ExportError
        If the folder holds something already or cannot be written.
    """
    source, target = example_folder(name), Path(directory)
    require_empty(target)
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def require_empty(directory: Path) -> None:
    """Make sure that nothing would be overwritten and something can be written.

    Raises
    ------
    ExportError
        If `directory` is a file, holds something, or cannot be written into.
    """
    if directory.is_file():
        raise ExportError(f"{directory} is a file: name a new folder")
    if directory.is_dir() and any(directory.iterdir()):
        raise ExportError(f"{directory} holds something already: name a new folder, or empty it")
    require_writable(directory)
