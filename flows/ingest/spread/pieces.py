"""What one task reads: several files of a source, a span of a big file, or the digest of such a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flows.config import Config, Source, format_file
from flows.ingest.read import LogFile, Span, spans_of
from flows.project import LOG_FORMATS

PIECE_BYTES = 64 << 20
_PIECE_FILES = 2048
# A compressed file is this much larger once it is read.
_PACKED, _EXPANSION = (".gz", ".zst", ".parquet"), 6


@dataclass(frozen=True)
class Files:
    """Files of one source in their order, numbered in the run from `first` on."""

    source: Source
    first: int
    files: Sequence[LogFile]


@dataclass(frozen=True, repr=False)
class Piece:
    """`files` as in Files. `span` is what to read of the only file, `digest` its spans if it is to be hashed only.

    Nothing of it is shown: Dask logs tasks that fail, and how a file is opened has secrets.
    """

    source: Source
    first: int
    files: list[LogFile]
    span: Span | None = None
    digest: list[Span] = field(default_factory=list)

    @property
    def is_of_database(self) -> bool:
        """Whether it is the rows of a database."""
        return self.files[0].rows is not None

    @property
    def whole(self) -> "Piece":
        """All of the same files."""
        return Piece(self.source, self.first, self.files)


@dataclass(frozen=True, repr=False)
class Job:
    """What all tasks of a publication share: `run` is that of their process, `staging` the name of the staging.

    Without a `repr` of its fields, for they have secrets.
    """

    run: str
    staging: str
    config: Config
    secret: bytes


@dataclass(frozen=True, repr=False)
class Task:
    """One task."""

    job: Job
    piece: Piece


def pieces_of(config: Config, given: Files) -> Iterator[Piece]:
    """The pieces of some files, in order; of a file in spans first its digest, then its spans."""
    source, number = given.source, given.first
    # The SELECT of a workspace may use the number of a line, which is not known in a span.
    is_ours = format_file(source.format, config.workspace).is_relative_to(LOG_FORMATS)
    waiting, size = list[LogFile](), 0
    for file in given.files:
        spans = spans_of(file, PIECE_BYTES) if is_ours else []
        expected = file.expected_bytes * (_EXPANSION if file.name.lower().endswith(_PACKED) else 1)
        is_alone = bool(spans) or file.rows is not None
        if waiting and (is_alone or size + expected > PIECE_BYTES or len(waiting) == _PIECE_FILES):
            yield Piece(source, number, waiting)
            number, waiting, size = number + len(waiting), [], 0
        if spans:
            yield Piece(source, number, [file], digest=spans)
            yield from (Piece(source, number, [file], span) for span in spans)
            number += 1
        elif is_alone:
            yield Piece(source, number, [file])
            number += 1
        else:
            waiting.append(file)
            size += expected
    if waiting:
        yield Piece(source, number, waiting)
