-- The tables of a store's file. Moments are milliseconds since 1970; a body is a row of gateway/stores/steps/rows.py.

CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('fence', 0), ('moment', 0);

CREATE TABLE environment (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE reservation (
  environment TEXT, reservation TEXT, forget_at INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (environment, reservation)
) WITHOUT ROWID;
CREATE INDEX reservation_over ON reservation (forget_at);

CREATE TABLE slot (
  environment TEXT, key TEXT, reservation TEXT, free_at INTEGER NOT NULL,
  PRIMARY KEY (environment, key, reservation)
) WITHOUT ROWID;
CREATE INDEX slot_order ON slot (environment, key, free_at);

-- How many slots there are in each log, so that ten thousand of them need not be counted one by one.
CREATE TABLE log (environment TEXT, key TEXT, slots INTEGER NOT NULL, PRIMARY KEY (environment, key)) WITHOUT ROWID;
CREATE TRIGGER slot_taken AFTER INSERT ON slot BEGIN
  INSERT INTO log VALUES (NEW.environment, NEW.key, 1)
    ON CONFLICT (environment, key) DO UPDATE SET slots = slots + 1;
END;
CREATE TRIGGER slot_given_back AFTER DELETE ON slot BEGIN
  UPDATE log SET slots = slots - 1 WHERE environment = OLD.environment AND key = OLD.key;
END;

CREATE TABLE day (
  environment TEXT, key TEXT, starts INTEGER, units INTEGER NOT NULL, PRIMARY KEY (environment, key, starts)
) WITHOUT ROWID;

CREATE TABLE pace (
  environment TEXT, key TEXT, bucket INTEGER, units INTEGER NOT NULL, PRIMARY KEY (environment, key, bucket)
) WITHOUT ROWID;

CREATE TABLE idempotency (key TEXT PRIMARY KEY, forget_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX idempotency_over ON idempotency (forget_at);

CREATE TABLE circuit (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE entry (id TEXT PRIMARY KEY, forget_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX entry_over ON entry (forget_at);

CREATE TABLE ledger (
  environment TEXT, day TEXT, tenant TEXT, client TEXT, operation TEXT, adapter TEXT,
  calls INTEGER NOT NULL, units INTEGER NOT NULL, records INTEGER NOT NULL,
  saved INTEGER NOT NULL, refusals INTEGER NOT NULL, waits INTEGER NOT NULL,
  PRIMARY KEY (environment, day, tenant, client, operation, adapter)
) WITHOUT ROWID;
