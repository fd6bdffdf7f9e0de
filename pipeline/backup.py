"""Saves a review - protocol, database and raw answers - in one file, and brings it back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline import __version__
from pipeline.errors import InputError, OutputError
from pipeline.review_folder import Review
from pipeline.store import Store

MANIFEST, PROTOCOL = "backup.json", "config.yaml"
SQLITE, POSTGRES = "corpus/evidence.sqlite", "corpus/evidence.pgdump"


def backup(review: Review, protocol: Path, target: Path) -> int:
    """Write a review's truth - what was fetched, read, decided and answered - into a tar.gz file.

    The review is locked meanwhile. The file is whole or absent.

    Parameters
    ----------
    review : Review
    protocol : Path
        Its config.yaml.
    target : Path
        The file; it must not exist.

    Returns
    -------
    int
        How many files it holds.

    Raises
    ------
    OutputError
        If `target` exists or cannot be written.
    LockedError
        If a run is at work.
    """
    if target.exists():
        raise OutputError(f"{target} exists; a backup is never overwritten.")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with review.store() as store, _temporary(review.folder / "corpus") as place:
        files = _gathered(review, store, protocol, place)
        try:
            with tarfile.open(part, "w:gz", compresslevel=6) as archive:
                for name, path in files.items():
                    archive.add(path, name, recursive=False)
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    return len(files) - 1


@contextmanager
def _temporary(parent: Path) -> Iterator[Path]:
    """A folder for this work, removed afterwards."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=".backup-", dir=parent))
    except OSError as error:
        raise OutputError(f"Cannot write {parent}: {error.strerror or error}.") from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _gathered(review: Review, store: Store, protocol: Path, place: Path) -> dict[str, Path]:
    """The files of a backup by their names in it, with a manifest of their hashes."""
    corpus = review.folder / "corpus"
    name = SQLITE if store.kind == "sqlite" else POSTGRES
    database = place / "database"
    store.dump(database)
    raw = sorted(p for p in (corpus / "raw").rglob("*") if p.is_file())
    files = {PROTOCOL: protocol, name: database}
    files |= {p.relative_to(review.folder).as_posix(): p for p in raw}
    digests = {name: _sha256(path) for name, path in files.items()}
    manifest = place / MANIFEST
    manifest.write_text(
        json.dumps({"evipool": __version__, "files": digests}, indent=1) + "\n", encoding="utf-8"
    )
    return {MANIFEST: manifest, **files}


def restore(source: Path, folder: Path) -> int:
    """Bring a review back into a folder that holds none; return how many files it has.

    All hashes are checked before anything is put in its place. A protocol that is there stays: it
    may name another database.

    Raises
    ------
    InputError
        If the file is no backup, or not as it was written.
    OutputError
        If the folder holds a review already, or cannot be written.
    """
    corpus = folder / "corpus"
    held = [p for p in corpus.rglob("*") if p.is_file() and p.name != ".lock"]
    if held:
        raise OutputError(f"{corpus} holds {held[0].name}; restore into an empty folder.")
    with _temporary(folder) as place:
        digests = _unpacked(source, place)
        try:
            if not (folder / PROTOCOL).exists():
                (place / PROTOCOL).replace(folder / PROTOCOL)
            shutil.rmtree(corpus, ignore_errors=True)
            (place / "corpus").replace(corpus)
            (folder / "outputs").mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot write {folder}: {error.strerror or error}.") from error
    return len(digests)


def restore_database(review: Review) -> bool:
    """Read a dump that `restore` has put there into the protocol's database; False for none.

    Raises
    ------
    ConfigError
        If the protocol names no PostgreSQL database, or pg_restore is not installed.
    StoreError
        If the database is not empty.
    """
    dump = review.folder / POSTGRES
    if not dump.exists():
        return False
    Store.load(review.folder, review.config.database.url, dump)
    dump.unlink()
    return True


def _unpacked(source: Path, place: Path) -> dict[str, str]:
    """Unpack a backup and check each file against its hash."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(place, filter="data")
        digests = json.loads((place / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{source} is no whole backup of Evipool: {error}.") from error
    found = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()} - {MANIFEST}
    for name in sorted(found ^ digests.keys()):
        raise InputError(f"{source}: {name} is not what its list of files says.")
    for name, digest in digests.items():
        if _sha256(place / name) != digest:
            raise InputError(f"{source}: {name} is not as it was saved.")
    return dict(digests)


def _sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
