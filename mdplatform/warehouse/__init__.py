"""ClickHouse: the client, the migrations that build the database, and the queries that ask it."""
