"""Immutable values with named fields: `typing.NamedTuple` in all but its price.

`NamedTuple` evaluates every annotation and compiles a constructor for each class, which for our many small types took a
third of the time in which one file is linted. A `Record` is made from the names alone. To a type checker the two are the
same. A module that defines one needs ``from __future__ import annotations``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from operator import itemgetter

    try:
        from _collections import _tuplegetter as field_getter
    except ImportError:

        def field_getter(index, doc):
            return property(itemgetter(index), doc=doc)

    _new_tuple = tuple.__new__

    def _new(cls, *values, **named):
        given = len(values)
        if given != cls._size or named:
            if named or given < cls._required or given > cls._size:
                values = _complete(cls, values, named)
            else:
                values += cls._defaults[given:]
        return _new_tuple(cls, values)

    def _complete(cls, values, named):
        """The values of all fields in order. Raises TypeError as any function would for wrong arguments."""
        given = len(values)
        if given > cls._size:
            raise TypeError(f"{cls.__name__} has {cls._size} fields, and {given} values were given")
        complete = [*values, *cls._defaults[given:]]
        for field, value in named.items():
            at = cls._places.get(field, -1)
            if at < given:
                raise TypeError(f"{cls.__name__} has no field {field!r}, or a value for it already")
            complete[at] = value
        for field in cls._fields[given : cls._required]:
            if field not in named:
                raise TypeError(f"{cls.__name__} needs a value for {field!r}")
        return complete

    # one for each number of fields that our commonest records have; `_constructor` gives the arguments their names
    _SHAPES = (
        lambda cls: _new_tuple(cls, ()),
        lambda cls, a: _new_tuple(cls, (a,)),
        lambda cls, a, b: _new_tuple(cls, (a, b)),
        lambda cls, a, b, c: _new_tuple(cls, (a, b, c)),
        lambda cls, a, b, c, d: _new_tuple(cls, (a, b, c, d)),
        lambda cls, a, b, c, d, e: _new_tuple(cls, (a, b, c, d, e)),
        lambda cls, a, b, c, d, e, f: _new_tuple(cls, (a, b, c, d, e, f)),
        lambda cls, a, b, c, d, e, f, g: _new_tuple(cls, (a, b, c, d, e, f, g)),
        lambda cls, a, b, c, d, e, f, g, h: _new_tuple(cls, (a, b, c, d, e, f, g, h)),
        lambda cls, a, b, c, d, e, f, g, h, i: _new_tuple(cls, (a, b, c, d, e, f, g, h, i)),
    )

    def _constructor(fields, defaults):
        """As fast as a function that is compiled for these fields, and made without compiling one."""
        shape = _SHAPES[len(fields)]
        code = shape.__code__.replace(co_varnames=("cls", *fields), co_name="__new__")
        return type(shape)(code, globals(), "__new__", defaults)

    class _RecordType(type):
        def __new__(cls, name, bases, namespace):
            if bases:
                if "__annotations__" not in namespace:
                    raise TypeError(f"{name}: its module needs `from __future__ import annotations`")
                fields = tuple(namespace["__annotations__"])
                namespace["_fields"] = namespace["__match_args__"] = fields
                namespace["_size"] = len(fields)
                namespace["_places"] = {field: index for index, field in enumerate(fields)}
                namespace["_defaults"] = tuple(map(namespace.get, fields))
                namespace["_required"] = sum(field not in namespace for field in fields)
                if len(fields) < len(_SHAPES):
                    namespace["__new__"] = _constructor(fields, namespace["_defaults"][namespace["_required"] :])
                for index, field in enumerate(fields):
                    namespace[field] = field_getter(index, None)
            namespace["__slots__"] = ()
            return super().__new__(cls, name, bases or (tuple,), namespace)

    class Record(metaclass=_RecordType):
        """The base of all records."""

        __new__ = _new

        def _replace(self, **named):
            values = list(map(named.pop, self._fields, self))
            if named:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(named)}")
            return _new_tuple(type(self), values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            values = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self):
            return tuple(self)


__all__ = ["Record"]
