"""Who started this process."""

from ._kit import who_started


def starter():
    """In a word: ``manager``, ``silent manager``, ``supervisor NAME``, ``superserver``, ``nobody`` (it is process 1),
    ``init``, ``terminal`` or ``program``."""
    return who_started()[0]


def lets_detach():
    """Whether whoever started this process lets it go into the background."""
    return who_started()[1]
