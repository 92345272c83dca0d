"""placeholder while the types are written"""
from __future__ import annotations
from typing import NamedTuple
class ImageBuild(NamedTuple):
    pass
