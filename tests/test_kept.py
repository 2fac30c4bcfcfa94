from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.kept import packed, read_kept, read_parts, unpacked, write_kept, write_parts

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = unpacked(packed(value))
    assert again == value
    assert type(again) is type(value)


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    value = {"글": (1, [2.5, None], b"\xff"), "surrogate \udcff": ()}
    write_kept(tmp_path / "below" / "it", value)
    assert read_kept(tmp_path / "below" / "it") == value
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["it"]


def test_what_is_lost_or_damaged_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it"
    assert read_kept(path) is None
    assert read_kept(tmp_path) is None
    write_kept(path, {"a": [1, 2, 3], "b": "text"})
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        assert read_kept(path) is None, f"cut at {at}"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert read_kept(path) is None, f"another bit at {at}"
    path.write_bytes(whole + b"more")
    assert read_kept(path) is None


def test_parts_are_kept_with_a_value(tmp_path: Path) -> None:
    path = tmp_path / "it"
    assert read_parts(path) is None
    write_parts(path, {"a": 1}, [packed("글"), b"", packed((2, b"\xff"))])
    value, parts = read_parts(path) or (None, [])
    assert value == {"a": 1}
    assert [bytes(part) for part in parts] == [packed("글"), b"", packed((2, b"\xff"))]
    assert unpacked(parts[2]) == (2, b"\xff")
    assert read_kept(path) is None
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        assert read_parts(path) is None, f"cut at {at}"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert read_parts(path) is None, f"another bit at {at}"
    write_kept(path, {"a": 1})
    assert read_parts(path) is None


def test_what_is_no_plain_value_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        write_kept(tmp_path / "it", {"path": tmp_path})
