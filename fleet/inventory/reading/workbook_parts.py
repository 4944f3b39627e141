"""What a workbook's parts tell beyond the values of its cells."""

from __future__ import annotations

import html
import re
import struct
import zipfile
import zlib
from pathlib import Path

#: A cell with content: column, row, other attributes.
_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"([^>]*)(?<!/)>')
#: What the standard library raises for damaged archives.
ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, KeyError, UnicodeDecodeError)


def inspect_workbook(path: Path) -> tuple[dict[str, list[tuple[int, int]]], dict[str, tuple[int, int]]]:
    """Find, by sheet name, what the reader hides: cells such as #DIV/0!, which it shows as blank, and the extent.

    Returns
    -------
    tuple of errors and extents
        (row, column) from 0 of each formula error; rows and columns up to the last cell with content.

    Raises
    ------
    Exceptions of `ZIP_DAMAGE`
        If the archive is damaged.
    """
    errors: dict[str, list[tuple[int, int]]] = {}
    extents: dict[str, tuple[int, int]] = {}
    with zipfile.ZipFile(path) as archive:
        parts = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= parts:
            return errors, extents
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8")
        targets = {}
        for tag in re.findall(r"<Relationship\b[^>]*>", relations):
            attributes = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
            targets[attributes.get("Id")] = attributes.get("Target", "").removeprefix("/xl/")
        for tag in re.findall(r"<sheet\b[^>]*>", archive.read("xl/workbook.xml").decode("utf-8")):
            attributes = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
            part = f"xl/{targets.get(attributes.get('r:id'), '')}"
            if part in parts:
                name = html.unescape(attributes.get("name", ""))
                errors[name], extents[name] = _inspected_sheet(archive.read(part))
    return errors, extents


def _inspected_sheet(content: bytes) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    errors = []
    height = width = 0
    columns: dict[bytes, int] = {}
    for cell in _CELL.finditer(content):
        letters, number = cell[1], int(cell[2])
        column = columns.get(letters)
        if column is None:
            column = columns[letters] = _position(letters.decode())
        height, width = max(height, number), max(width, column + 1)
        if b't="e"' in cell[3]:
            errors.append((number - 1, column))
    return errors, (height, width)


def _position(letters: str) -> int:
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - ord("A") + 1
    return position - 1
