"""How sure it is that a package is in a program."""

from enum import IntEnum


class Reach(IntEnum):
    """NO, MAYBE, YES: ordered, so that a path is as sure as its least sure step."""

    NO = 0
    MAYBE = 1
    YES = 2
