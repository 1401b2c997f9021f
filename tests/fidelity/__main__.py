"""`make fidelity`: writes docs/fidelity.md from the table, and which rows moto alone has right.

That the rows are so is for the tests to say.
"""

from __future__ import annotations

from tests.fidelity import moto_alone, table

if __name__ == "__main__":
    rows = table.rows()
    right = moto_alone.right(rows)
    moto_alone.WRITTEN.write_text("".join(f"{name}\n" for name in right), encoding="utf-8")
    table.written().write_text(table.document(rows, right), encoding="utf-8")
    agree = sum(not row.differs for row in rows)
    print(f"{table.written().name}: {len(rows)} rows, {agree} agree; moto alone has {len(right)} right")
