"""The metadata that all tables belong to, and the columns that many of them share.

The other modules of this package use it; migrations and tests take the metadata from the package.
"""

from sqlalchemy import Column, ForeignKey, MetaData

from outrider.db.types import BigKey

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key() -> Column[int]:
    """Return the numbered key of a table."""
    return Column("id", BigKey, primary_key=True, autoincrement=True)


def belongs_to(table: str, *, name: str = "", optional: bool = False, index: bool = False) -> Column[int]:
    """Return the column that refers to the owning row, which takes this row along when it is deleted."""
    return Column(
        name or f"{table.removesuffix('s')}_id",
        BigKey,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=optional,
        index=index,
    )
