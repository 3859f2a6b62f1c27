"""Paths in HDFS that answer as `pathlib.Path` does: what lands, claims and keeps zips is one code for a folder and a cluster.

They speak WebHDFS, so that the landing agent, the driver and the Python workers in the executors need no Java for it.
A call outlives a failover of the NameNodes: it is repeated until one of them answers, for at most `PATIENCE_SECONDS`.
"""

from __future__ import annotations

import errno
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar

from hdfs import HdfsError, InsecureClient
from requests import Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError, RequestException
from urllib3.exceptions import HTTPError

# A failover takes seconds; until the last replica of a file is known to a NameNode that was just started, half a minute.
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = 0.5
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 60.0
# Of a file that is read piece by piece: so many bytes a call.
PIECE_BYTES = 4 << 20
CONNECTIONS = 32
PASSING = {"RetriableException", "StandbyException", "SafeModeException"}
ERRORS: dict[str, int] = {
    "FileNotFoundException": errno.ENOENT,
    "FileAlreadyExistsException": errno.EEXIST,
    "AccessControlException": errno.EACCES,
    "ParentNotDirectoryException": errno.ENOTDIR,
    "PathIsNotEmptyDirectoryException": errno.ENOTEMPTY,
    "DSQuotaExceededException": errno.ENOSPC,
    "NSQuotaExceededException": errno.ENOSPC,
}
# What only the text of an error tells.
SAID = {"is non empty": errno.ENOTEMPTY, "could only be written to 0 of": errno.ENOSPC}
SNAPSHOTS = ".snapshot"
STATE_BEAN = "Hadoop:service=NameNode,name=FSNamesystemState"
Result = TypeVar("Result")


@dataclass(frozen=True)
class NameNodes:
    """The NameNodes behind a nameservice, by their web addresses (`http://host:port`), and the `user` who asks them."""

    service: str
    addresses: tuple[str, ...]
    user: str


@dataclass(frozen=True)
class Status:
    """What HDFS says of a file or folder, by the names that `os.stat_result` has for it; sizes in bytes, times in seconds."""

    name: str
    is_dir: bool
    st_size: int
    st_mtime_ns: int
    st_ino: int

    @property
    def st_mtime(self) -> float:
        """When it was changed last, in seconds since 1970."""
        return self.st_mtime_ns / 1e9

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Status:
        """From WebHDFS's FileStatus."""
        is_dir = answer["type"] == "DIRECTORY"
        changed = answer["modificationTime"] * 1_000_000
        return cls(answer["pathSuffix"], is_dir, answer["length"], changed, answer["fileId"])


@dataclass(frozen=True, order=True)
class HdfsPath:
    """A path in HDFS. Its methods do what those of `pathlib.Path` do, and raise the same errors; `str` gives the URI for Spark."""

    path: PurePosixPath
    at: NameNodes

    def __str__(self) -> str:
        return f"hdfs://{self.at.service}{self.path}"

    def __truediv__(self, more: str) -> HdfsPath:
        return self._of(self.path / more)

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.name

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return self.path.stem

    @property
    def suffix(self) -> str:
        """The ending of the last part, with its dot."""
        return self.path.suffix

    @property
    def parent(self) -> HdfsPath:
        """The folder that it is in."""
        return self._of(self.path.parent)

    def with_name(self, name: str) -> HdfsPath:
        """The path of that name beside it."""
        return self._of(self.path.with_name(name))

    def with_suffix(self, suffix: str) -> HdfsPath:
        """The path of the same name with another ending."""
        return self._of(self.path.with_suffix(suffix))

    def stat(self) -> Status:
        """Raises FileNotFoundError."""
        return Status.of(self._call(lambda: self._client.status(self._text)))

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def entries(self) -> list[Status]:
        """What is in the folder, by one call. Raises FileNotFoundError, NotADirectoryError."""
        answer = self._call(lambda: self._client._list_status(self._text).json())
        found = [Status.of(status) for status in answer["FileStatuses"]["FileStatus"]]
        if any(not status.name for status in found):
            raise NotADirectoryError(errno.ENOTDIR, "is a file", str(self))
        return found

    def iterdir(self) -> Iterator[HdfsPath]:
        """The paths in the folder."""
        return (self / status.name for status in self.entries())

    def glob(self, pattern: str) -> Iterator[HdfsPath]:
        """The paths below it that fit the pattern, whose parts are names with `*`; one call a folder looked into."""
        first, _, rest = pattern.partition("/")
        try:
            found = self.entries()
        except (FileNotFoundError, NotADirectoryError):
            return
        for status in found:
            if fnmatchcase(status.name, first):
                if not rest:
                    yield self / status.name
                elif status.is_dir:
                    yield from (self / status.name).glob(rest)

    def mkdir(self, mode: int = 0o750, parents: bool = False, exist_ok: bool = False) -> None:
        """Makes the folder; as HDFS does, with those above it, whether or not `parents` is said."""
        if not exist_ok and self.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(self))
        self._call(lambda: self._client._mkdirs(self._text, permission=f"{mode:o}"))

    def read_bytes(self) -> bytes:
        """All of the file."""
        return self._call(lambda: self._read(0, None))

    def read_text(self) -> str:
        """All of the file, as UTF-8."""
        return self.read_bytes().decode()

    def write_bytes(self, data: bytes) -> None:
        """Writes the file, in place of one that is there; a reader may see it half written."""
        self._call(lambda: self._client.write(self._text, data, overwrite=True))

    def open(self, mode: str = "rb") -> Any:
        """A file to read, which can be sought in, or with `wb` one to write from its beginning to its end, whole when closed."""
        if mode == "rb":
            return io.BufferedReader(_Reader(self, self.stat().st_size), PIECE_BYTES)
        if mode == "wb":
            return self._client.write(self._text, overwrite=True)
        raise ValueError(f"mode {mode!r} is not for files in HDFS")

    def touch(self) -> None:
        """Makes an empty file, or leaves it as it is."""
        if not self.exists():
            self.write_bytes(b"")

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the file."""
        if not self._delete(recursive=False) and not missing_ok:
            raise FileNotFoundError(errno.ENOENT, "is not there", str(self))

    def rmdir(self) -> None:
        """Removes the folder; raises OSError while something is in it."""
        self._delete(recursive=False)

    def rmtree(self) -> None:
        """Removes the folder and all that is in it; it need not be there."""
        self._delete(recursive=True)

    def replace(self, target: HdfsPath) -> None:
        """Renames it, in place of what is there. Raises FileNotFoundError.

        A call whose answer was lost may have been carried out: then the source is gone, and the target there.
        """
        calls = 0

        def rename() -> None:
            nonlocal calls
            calls += 1
            try:
                self._client._rename(self._text, destination=str(target.path), renameoptions="OVERWRITE")
            except HdfsError as error:
                if calls == 1 or error.exception != "FileNotFoundException" or not target.exists():
                    raise

        self._call(rename)

    def read_at(self, offset: int, length: int) -> bytes:
        """So many bytes from `offset`; fewer where the file ends."""
        return self._call(lambda: self._read(offset, length))

    def snapshots(self) -> list[str]:
        """The names of the folder's snapshots, in their order; none of one that may have none."""
        try:
            return sorted(status.name for status in (self / SNAPSHOTS).entries())
        except FileNotFoundError:
            return []

    def snapshot(self, name: str) -> HdfsPath:
        """Where the folder is found as it was when that snapshot was taken."""
        return self / SNAPSHOTS / name

    def take_snapshot(self, name: str) -> None:
        """Keeps the folder as it is at this moment; done already, nothing is done."""
        if name not in self.snapshots():
            self._call(lambda: self._client._create_snapshot(self._text, snapshotname=name))

    def drop_snapshot(self, name: str) -> None:
        """Lets go of a snapshot, which need not be there."""
        if name in self.snapshots():
            self._call(lambda: self._client._delete_snapshot(self._text, snapshotname=name))

    def free_bytes(self) -> int:
        """What the DataNodes have room for, replicas counted."""
        return self._call(lambda: _free_bytes(self.at))

    @property
    def _text(self) -> str:
        return str(self.path)

    @cached_property
    def _client(self) -> InsecureClient:
        return _client(self.at)

    def _of(self, path: PurePosixPath) -> HdfsPath:
        return HdfsPath(path, self.at)

    def _read(self, offset: int, length: int | None) -> bytes:
        with self._client.read(self._text, offset=offset, length=length) as file:
            return bytes(file.read())

    def _delete(self, recursive: bool) -> bool:
        answer = self._call(lambda: self._client._delete(self._text, recursive=str(recursive).lower()).json())
        return bool(answer["boolean"])

    def _call(self, ask: Callable[[], Result]) -> Result:
        """Asks until there is an answer. Raises the OSError that stands for HDFS's own error."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return ask()
            except HdfsError as error:
                if error.exception not in PASSING or time.monotonic() > deadline:
                    raise _as_os_error(error, self) from None
            except (RequestException, HTTPError) as error:
                if time.monotonic() > deadline:
                    raise OSError(errno.EIO, f"HDFS does not answer: {type(error).__name__}", str(self)) from None
            time.sleep(PAUSE_SECONDS)

    def __getstate__(self) -> tuple[PurePosixPath, NameNodes]:
        return self.path, self.at  # what travels to the workers holds no connection

    def __setstate__(self, state: tuple[PurePosixPath, NameNodes]) -> None:
        for name, value in zip(("path", "at"), state, strict=True):
            object.__setattr__(self, name, value)


class _Reader(io.RawIOBase):
    """A file read piece by piece, each by a call of its own: it can be sought in, and outlives a failover."""

    def __init__(self, path: HdfsPath, size: int) -> None:
        self._path, self._size, self._at = path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        data = self._path.read_at(self._at, wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _as_os_error(error: HdfsError, path: HdfsPath) -> OSError:
    number = ERRORS.get(error.exception or "", errno.EIO)
    for text, meant in SAID.items():
        if text in str(error.message):
            number = meant
    return OSError(number, error.exception or "HDFS refuses", str(path))  # OSError picks the class for the number


def _free_bytes(at: NameNodes) -> int:
    """By the standby as good as by the active NameNode: DataNodes report to both."""
    error: Exception | None = None
    for address in at.addresses:
        try:
            answer = _client(at)._session.get(f"{address}/jmx", params={"qry": STATE_BEAN}, timeout=CONNECT_SECONDS)
            return int(answer.json()["beans"][0]["CapacityRemaining"])
        except (RequestException, LookupError) as failed:
            error = failed
    raise ConnectionError(f"no NameNode tells of its state: {type(error).__name__}")


@lru_cache
def _client(at: NameNodes) -> InsecureClient:
    session = Session()
    session.trust_env = False  # no proxy of the environment stands between the hosts of a cluster
    session.mount("http://", HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS))
    timeout = (CONNECT_SECONDS, ANSWER_SECONDS)
    return InsecureClient(";".join(at.addresses), user=at.user, timeout=timeout, session=session)
