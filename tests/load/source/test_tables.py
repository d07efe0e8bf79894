"""Raw rows of every kind of table: places, exactness, and broken rows that cost only themselves."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ccm.load.source import csv_rows as csv_rows_module
from ccm.load.source.csv_rows import CsvTable
from ccm.load.source.json_rows import JsonTable
from ccm.load.source.parquet_rows import ParquetTable
from ccm.load.source.sql_rows import SqlTable
from ccm.load.source.tables import Match, RawRow, SourceUnreadable
from ccm.model.definitions import TableDefinition


def csv_table(folder: Path, content: bytes, **columns: str) -> CsvTable:
    path = folder / "rows.csv"
    path.write_bytes(content)
    return CsvTable(TableDefinition(file="rows.csv", columns=columns), path, "data/rows.csv")


def json_table(folder: Path, content: str, columns: dict[str, str] | None = None) -> JsonTable:
    path = folder / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    return JsonTable(TableDefinition(file="rows.jsonl", columns=columns or {}), path, "data/rows.jsonl")


def sql_table(folder: Path, **more: object) -> SqlTable:
    return SqlTable(TableDefinition.model_validate({"url": "sqlite:///shop.db", **more}), folder, "data/shop.yaml")


def good(rows: list[RawRow]) -> list[tuple[int, dict[str, object]]]:
    return [(row.line, dict(row.cells)) for row in rows if not row.trouble]


def broken(rows: list[RawRow]) -> list[int]:
    return [row.line for row in rows if row.trouble]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"id,a\n1,x\n2,y\n", [(2, {"id": "1", "a": "x"}), (3, {"id": "2", "a": "y"})]),
        (b"\xef\xbb\xbfid,a\r\n1,x\r\n", [(2, {"id": "1", "a": "x"})]),  # BOM and CRLF
        (b'id,a\n1,"x\ny"\n2,z\n', [(2, {"id": "1", "a": "x\ny"}), (4, {"id": "2", "a": "z"})]),  # place = first line
        (b"id;a\n1;x,y\n", [(2, {"id": "1", "a": "x,y"})]),
        (b"id\ta\n1\tx\n", [(2, {"id": "1", "a": "x"})]),
        (b"id,a\n\n1,x\n\n", [(3, {"id": "1", "a": "x"})]),  # blank lines are no rows
        (b"id, a \n1,x", [(2, {"id": "1", "a": "x"})]),
        (b'id,a\n1,"say ""hi"""\n', [(2, {"id": "1", "a": 'say "hi"'})]),
    ],
)
def test_csv_rows_come_with_their_line(tmp_path: Path, content: bytes, expected: list[object]) -> None:
    """Every dialect that people save gives the same rows, placed at the line where they begin."""
    assert good(list(csv_table(tmp_path, content).rows())) == expected


@pytest.mark.parametrize(
    ("content", "lines_broken", "keys_kept"),
    [
        (b"id,a\n1,x\n2\n3,z\n", [3], ["1", "3"]),  # a cell is missing
        (b"id,a\n1,x\n2,y,y\n3,z\n", [3], ["1", "3"]),  # a cell too many
        (b"id,a\n1,x\n2,\xff\n3,z\n", [3], ["1", "3"]),  # not UTF-8
        (b"id,a\n1,x\n2,\x00\n3,z\n", [3], ["1", "3"]),  # NUL
        (b'id,a\n1,x\n2,"y\n3,z\n4,w\n', [3], ["1", "3", "4"]),  # quote open to the end of the file
        (b'id,a\n1,x\n2,"y\n3,"z"\n4,w\n', [3], ["1", "3", "4"]),  # quote closed by the next row's
        (b'id,a\n1,x\n2,"y"y\n3,z\n', [3], ["1", "3"]),  # text after a closed quote
    ],
)
def test_a_broken_csv_row_costs_only_itself(
    tmp_path: Path, content: bytes, lines_broken: list[int], keys_kept: list[str]
) -> None:
    """Rows before and after a broken one are read; an open quote does not swallow the rest."""
    rows = list(csv_table(tmp_path, content).rows())
    assert broken(rows) == lines_broken
    assert [cells["id"] for _, cells in good(rows)] == keys_kept


def test_a_broken_row_names_no_value(tmp_path: Path) -> None:
    """The reason may go into logs, so it holds nothing of the row."""
    rows = list(csv_table(tmp_path, b'id,a\nC-1,"Secret\nC-2,Secret,Secret\n').rows())
    assert len(broken(rows)) == 2
    assert not any("Secret" in row.trouble or "C-" in row.trouble for row in rows)


@pytest.mark.parametrize("key", ["1", "7", "500", "nobody"])
@pytest.mark.parametrize("multiline", [False, True])
def test_one_row_by_scanning_equals_the_full_reading(tmp_path: Path, key: str, multiline: bool) -> None:
    """The shortcut of looking for one key finds the same rows, with the same lines."""
    text = '"two\nlines, 7"' if multiline else "7"
    content = "id,a\n" + "".join(f"{number},{text}\n" for number in range(1, 1001)) + f"7,{text}\n"
    table = csv_table(tmp_path, content.encode())
    expected = [row for row in table.rows() if row.text("id") == key]
    assert list(table.rows(Match("id", key))) == expected
    assert len(expected) == {"nobody": 0, "7": 2}.get(key, 1)


def test_columns_are_renamed(tmp_path: Path) -> None:
    """`columns` gives our names; the table's own name is then gone."""
    table = csv_table(tmp_path, b"CustomerID,Country\n5,France\n", id="CustomerID")
    assert table.header() == ("id", "Country")
    assert good(list(table.rows())) == [(2, {"id": "5", "Country": "France"})]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-source"),
        (b"\xff\xfei\x00d\x00", "unreadable-source"),
        (b"id,a,id\n1,2,3\n", "duplicate-column"),
        (b'"id,a\n1,2\n', "unreadable-source"),
    ],
)
def test_a_csv_without_a_usable_first_row_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    """Without names for the columns nothing can be trusted."""
    with pytest.raises(SourceUnreadable) as caught:
        list(csv_table(tmp_path, content).rows())
    assert caught.value.diagnostic.code == code
    assert caught.value.diagnostic.location.path == "data/rows.csv"


def test_a_first_row_that_is_a_customers_is_not_quoted(tmp_path: Path) -> None:
    """Where somebody forgot the names of the columns, the message must not tell a customer's."""
    with pytest.raises(SourceUnreadable) as caught:
        list(csv_table(tmp_path, b"7,Ada,Ada\n").rows())
    assert caught.value.diagnostic.code == "duplicate-column"
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize("chunk", [1, 40, 300, 65536])
def test_many_lines_at_once_are_read_as_one_by_one(tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odd lines among good ones, wherever a piece of the file ends: the same rows, numbers and troubles."""
    odd = [
        b"1,plain,x", b'2,"a ""b"", c",y', b'3,"two\nlines",z', b'4,a"b,"c', b"5,\xff\xfe,x", b"6,nul\0,x", b"", b"7,short",
        b"8,too,many,cells", b'9,"never closed,x', b"10,carriage\rreturn,x", b"11,windows,x\r", "12,\u2028Łódź\x0b,é".encode(),
        b'13,"a"b,x', b'"14","quoted","x"', b"  ", b'15,"a\r\nb",x', b",,",
    ]  # fmt: skip
    draw = random.Random(chunk)
    seen = 0
    for number in range(60):
        lines = draw.choices([b"1,plain,x"] * 40 + odd, k=draw.randint(1, 60))
        content = b"a,b,c\n" + b"\n".join(lines) + draw.choice([b"", b"\n"])
        table = csv_table(tmp_path, content)
        monkeypatch.setattr(csv_rows_module, "_CHUNK_BYTES", chunk)
        rows = list(table.rows())
        with monkeypatch.context() as patch:
            patch.setattr(csv_rows_module._Lines, "wait", True)
            assert rows == list(table.rows()), number
        seen += len(rows)
    assert seen > 500


def test_half_a_character_costs_its_own_row(tmp_path: Path) -> None:
    """JSON can write halves of surrogate pairs, which no text, id or database can hold; whole pairs are fine."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": "1", "a": ["x\\uD83D"]}\n{"id": "2", "a": "\\ud83d\\ude00"}\n')
    one, two = JsonTable(TableDefinition(file="rows.jsonl"), path, "data/rows.jsonl").rows()
    assert one.trouble
    assert "1" in one.candidates
    assert (two.cells, two.trouble) == ({"id": "2", "a": "\U0001f600"}, "")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The error says what is wrong and names the file as the author wrote it."""
    for path in (tmp_path / "absent.csv", tmp_path):
        for table in (CsvTable, JsonTable, ParquetTable):
            with pytest.raises(SourceUnreadable) as caught:
                list(table(TableDefinition(file="x.csv"), path, "data/x.csv").rows())
            assert caught.value.diagnostic.code == "unreadable-source"
            assert caught.value.diagnostic.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    """Missing permission is told as such."""
    table = csv_table(tmp_path, b"id\n1\n")
    table.path.chmod(0)
    with pytest.raises(SourceUnreadable, match="permission"):
        list(table.rows())


def test_json_numbers_keep_every_digit(tmp_path: Path) -> None:
    """No number passes through a float."""
    rows = good(list(json_table(tmp_path, '{"id": 7, "a": 1.10, "b": 12345678901234567890.123456789}\n').rows()))
    assert rows == [(1, {"id": "7", "a": "1.10", "b": "12345678901234567890.123456789"})]


def test_json_rows_may_be_nested(tmp_path: Path) -> None:
    """Records and lists come along; truth values and null are as in a text file."""
    line = json.dumps({"id": "1", "customer": {"vip": True, "name": None}, "lines": [{"n": 1}]})
    (_, cells), *_ = good(list(json_table(tmp_path, "\n" + line + "\n", {"called": "customer.vip"}).rows()))
    assert cells == {
        "id": "1", "customer": {"vip": "true", "name": None}, "lines": [{"n": "1"}], "called": "true",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["{", "[1]", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000, '"text"'])
def test_a_broken_json_row_costs_only_itself(tmp_path: Path, line: str) -> None:
    """What is no JSON record, or has two meanings, is told; the next row is read."""
    rows = list(json_table(tmp_path, f'{line}\n{{"id": "2"}}\n').rows())
    assert broken(rows) == [1]
    assert good(rows) == [(2, {"id": "2"})]


def test_parquet_values_look_like_those_of_a_text_file(tmp_path: Path) -> None:
    """Types of Parquet become the texts that the data contract reads; nothing loses digits."""
    import duckdb

    path = tmp_path / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 7 AS id, 1.10::DECIMAL(18,2) AS amount, 1.98::DOUBLE AS price, DATE '2026-10-31' AS day, true AS vip,"
            " NULL::VARCHAR AS note, {'city': 'Łódź'} AS home, [1, 2] AS numbers,"
            " TIMESTAMPTZ '2026-10-31 10:00:00+00' AS at) TO ? (FORMAT parquet)",
            [str(path)],
        )
    ((line, cells),) = good(list(ParquetTable(TableDefinition(file="rows.parquet"), path, "data/rows.parquet").rows()))
    assert line == 1
    assert str(cells.pop("at")).startswith("2026-10-31")
    assert cells == {
        "id": "7", "amount": "1.10", "price": "1.98", "day": "2026-10-31", "vip": "true", "note": None,
        "home": {"city": "Łódź"}, "numbers": ["1", "2"],
    }  # fmt: skip


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    """A file that only ends like Parquet says so."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(SourceUnreadable) as caught:
        list(ParquetTable(TableDefinition(file="rows.parquet"), path, "data/rows.parquet").rows())
    assert caught.value.diagnostic.code == "unreadable-source"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total NUMERIC(10,2), day DATE)")
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, 1.98, "2026-10-31") for n in range(1, 11)])
    connection.commit()
    connection.close()
    return tmp_path


@pytest.mark.parametrize("origin", [{"table": "orders"}, {"query": "SELECT * FROM orders WHERE id > 0"}])
def test_database_rows_and_one_row_by_where(shop: Path, origin: dict[str, str]) -> None:
    """A table and a query give the same rows; one key is asked for in SQL, whatever its type."""
    table = sql_table(shop, **origin, columns={"number": "id"})
    assert table.header() == ("number", "total", "day")
    rows = good(list(table.rows()))
    assert len(rows) == 10
    assert rows[0] == (1, {"number": "1", "total": "1.98", "day": "2026-10-31"})
    assert [cells["number"] for _, cells in good(list(table.rows(Match("number", "7"))))] == ["7"]
    assert list(table.rows(Match("number", "x' OR 1=1 --"))) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"table": "absent"},
        {"query": "SELEKT"},
        {"url": "sqlite:///absent.db", "table": "orders"},
        {"url": "nonsense", "table": "orders"},
        {"url": "nosuchdatabase://x", "table": "orders"},
        {"url": "postgresql+psycopg://${CCM_TEST_SURELY_NOT_SET}@x/y", "table": "orders"},
    ],
)
def test_an_unusable_database_is_refused(shop: Path, settings: dict[str, str]) -> None:
    """Every way of naming a database wrongly is an error with a remedy, and makes no empty database."""
    with pytest.raises(SourceUnreadable) as caught:
        list(sql_table(shop, **settings).rows())
    assert caught.value.diagnostic.remedy
    assert [path.name for path in shop.iterdir()] == ["shop.db"]


def test_the_url_takes_environment_variables(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets stay out of the workspace."""
    monkeypatch.setenv("CCM_TEST_DATABASE", "shop.db")
    assert len(list(sql_table(shop, url="sqlite:///${CCM_TEST_DATABASE}", table="orders").rows())) == 10


@pytest.mark.parametrize("match", [None, Match("at", ":x 100% 10:00")])
def test_a_query_may_hold_colons_and_percent_signs(shop: Path, match: Match | None) -> None:
    """A query has no parameters: what looks like one is text."""
    table = sql_table(shop, query="SELECT ':x 100% 10:00' AS at")
    assert [row.cells["at"] for row in table.rows(match)] == [":x 100% 10:00"]


def test_a_source_database_cannot_be_written(shop: Path) -> None:
    """A query that tries to change data is refused."""
    with pytest.raises(SourceUnreadable):
        list(sql_table(shop, query="DELETE FROM orders RETURNING id").rows())
    assert len(list(sql_table(shop, table="orders").rows())) == 10


def test_database_types_become_texts() -> None:
    """Drivers that give real types are read like text files."""
    from ccm.load.source.tables import as_cell

    moment = datetime(2026, 10, 31, 12, tzinfo=UTC)
    given = [Decimal("1.10"), Decimal("1E+2"), 0.1, True, date(2026, 10, 31), moment, b"x", None, {"a": 1}]
    expected = ["1.10", "100", "0.1", "true", "2026-10-31", "2026-10-31T12:00:00+00:00", "x", None, {"a": "1"}]
    assert [as_cell(value) for value in given] == expected
