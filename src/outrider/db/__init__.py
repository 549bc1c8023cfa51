"""The database: schema, migrations, transactions at the edge, and the event log."""
