"""A noun behaves as a frozen dataclass of the standard library does."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import pytest

from builder.frozen import frozen


@frozen
class Point:
    """A doc."""

    x: int
    name: str = "a"
    seen: tuple[int, ...] = field(default=(), repr=False, compare=False)


@frozen
class One:
    value: Any


@dataclass(frozen=True, slots=True)
class Standard:
    x: int
    name: str = "a"
    seen: tuple[int, ...] = field(default=(), repr=False, compare=False)


def test_it_says_what_it_is_as_the_standard_one_does() -> None:
    assert repr(Point(1, "'")) == repr(Standard(1, "'")).replace("Standard", "Point")
    assert Point.__doc__ == "A doc."
    assert [each.name for each in fields(Point)] == ["x", "name", "seen"]
    assert asdict(Point(1)) == {"x": 1, "name": "a", "seen": ()}
    assert Point.__match_args__ == ("x", "name", "seen")


def test_equal_means_equal_values_of_one_class() -> None:
    assert Point(1) == Point(1, "a") and hash(Point(1)) == hash(Point(1, "a"))
    assert Point(1) == Point(1, seen=(1,)) and hash(Point(1)) == hash(Point(1, seen=(1,)))
    assert Point(1) != Point(2) and Point(1) != Point(1, "b")
    others: list[object] = [Standard(1), 1]
    assert Point(1) != others[0] and One(1) != others[1]
    assert One((1,)) == One((1,)) != One(1)
    with pytest.raises(TypeError):
        hash(One([]))


def _mypy_refuses_an_assignment(point: Point) -> None:
    """Never called: an unused `ignore` is an error, too."""
    point.x = 2  # type: ignore[misc]


def test_it_has_slots_and_can_be_copied_and_sent() -> None:
    assert not hasattr(Point(1), "__dict__")
    with pytest.raises(AttributeError):
        Point(1).other = 1  # type: ignore[attr-defined]
    point = Point(1, "b", (2,))
    for again in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert again == point and again.seen == (2,)
    assert replace(point, x=3) == Point(3, "b")


@frozen
class Held:
    """A noun whose fields have every kind of default."""

    x: int
    missing: str = "m"
    made: list[int] = field(default_factory=list)
    self_: int = 3


@frozen
class Further(Held):
    """Has what it inherits, and more."""

    more: int = 4


def test_every_object_gets_its_own_values_from_the_first_on() -> None:
    first, second = Held(1), Held(x=2, made=[5], self_=7)
    assert first.made == [] and first.made is not Held(1).made
    assert (first.x, first.missing, first.self_) == (1, "m", 3)
    assert (second.x, second.missing, second.made, second.self_) == (2, "m", [5], 7)
    assert Further(1, more=5) == Further(1, "m", [], 3, 5) != Held(1)


def test_a_field_is_missed_where_it_has_no_value() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
