"""The exceptions that a wrong call, configuration, file or answer raises.

Text that cannot be read is not an error but data: see `pipeline.schema.Problem`.

    PipelineError                 1   a bug, or what no other class names
    ├── ConfigError               2   config.yaml, a flag or a variable is wrong
    ├── OutputError               2   a folder or file cannot be written
    ├── FetchError                3   the network or NCBI failed; the run can be resumed
    ├── NothingFoundError         4   the search has no hit
    ├── InputError                5   a file or record cannot be read
    ├── EffectSizeError           5   an effect size is not defined for these data
    ├── PoolError                 5   these effect sizes cannot be pooled
    ├── StoreError                5   the database is damaged or of another version
    ├── StaleError                5   a decision was made in ignorance of another on its field
    ├── UnreviewedError           6   --require-reviewed met a value nobody has reviewed
    └── LockedError               7   another run works on this review

The number is the exit code of the command line.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Any failure that Evipool foresees; its message is one sentence for a person."""

    exit_code = 1


class ConfigError(PipelineError):
    """config.yaml, a flag or an environment variable is wrong."""

    exit_code = 2


class OutputError(PipelineError):
    """A folder or file cannot be written."""

    exit_code = 2


class FetchError(PipelineError):
    """The network or NCBI failed; what was fetched is kept and the run can be resumed."""

    exit_code = 3


class NothingFoundError(PipelineError):
    """The search has no hit."""

    exit_code = 4


class InputError(PipelineError):
    """A file or record cannot be read."""

    exit_code = 5


class EffectSizeError(PipelineError):
    """An effect size is not defined for these data."""

    exit_code = 5


class PoolError(PipelineError):
    """These effect sizes cannot be pooled."""

    exit_code = 5


class StoreError(PipelineError):
    """The database is damaged, or was written by another version."""

    exit_code = 5


class StaleError(PipelineError):
    """A decision rests on a state of its field that has changed since; nothing was saved."""

    exit_code = 5


class UnreviewedError(PipelineError):
    """`--require-reviewed` met a value that nobody has reviewed."""

    exit_code = 6


class LockedError(PipelineError):
    """Another run works on this review."""

    exit_code = 7
