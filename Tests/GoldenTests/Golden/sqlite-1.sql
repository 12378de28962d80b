PRAGMA journal_mode = WAL;
PRAGMA application_id = 1178948185;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES ('1: entries, changes, leader');
CREATE TABLE entry (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE TABLE change (
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB,
    PRIMARY KEY (revision, position)
) STRICT;
CREATE TABLE state (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    term INTEGER NOT NULL,
    leader_name TEXT,
    leader_api_address TEXT
) STRICT;
INSERT INTO state (id, revision, compacted, term) VALUES (1, 0, 0, 0);
