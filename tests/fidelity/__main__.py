"""`make fidelity`: writes docs/fidelity.md from the table. That its rows are so is for the tests to say."""

from __future__ import annotations

from tests.fidelity import table

if __name__ == "__main__":
    rows = table.rows()
    table.written().write_text(table.document(rows), encoding="utf-8")
    print(f"{table.written().name}: {len(rows)} rows, {sum(not row.differs for row in rows)} agree")
