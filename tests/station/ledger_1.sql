-- SPDX-License-Identifier: Apache-2.0
-- The tables of the first version, which a station brings up to date.
CREATE TABLE ledger (version BIGINT NOT NULL);
INSERT INTO ledger (version) VALUES (1);
CREATE TABLE batch (name TEXT NOT NULL PRIMARY KEY, product TEXT NOT NULL,
token_digest TEXT NOT NULL UNIQUE, quota BIGINT NOT NULL, available BIGINT NOT
NULL CHECK (available >= 0), granted BIGINT NOT NULL, closed BIGINT NOT NULL,
opened_ms BIGINT NOT NULL);
CREATE TABLE lease (batch TEXT NOT NULL, station TEXT NOT NULL, remaining
BIGINT NOT NULL CHECK (remaining >= 0), granted BIGINT NOT NULL, PRIMARY KEY
(batch, station));
CREATE TABLE unit (id TEXT NOT NULL PRIMARY KEY, serial TEXT NOT NULL UNIQUE,
model TEXT NOT NULL, mac TEXT UNIQUE, batch TEXT NOT NULL, operator_name TEXT
NOT NULL, station TEXT NOT NULL, ek_digest TEXT UNIQUE, iak_name TEXT UNIQUE,
idevid_name TEXT UNIQUE, state TEXT NOT NULL, attested BIGINT NOT NULL,
generation BIGINT NOT NULL, enrolled_ms BIGINT NOT NULL, changed_ms BIGINT NOT
NULL, challenge_digest TEXT NOT NULL, challenge_expires_ms BIGINT NOT NULL,
ek_cert BLOB, iak_cert BLOB, idevid_cert BLOB, escrow BLOB, keys BLOB,
hw_serial TEXT NOT NULL, reason BIGINT NOT NULL, revision BIGINT NOT NULL);
CREATE TABLE certificate (number TEXT NOT NULL PRIMARY KEY, subject TEXT NOT
NULL, generation BIGINT NOT NULL, revoked_ms BIGINT NOT NULL, reason BIGINT
NOT NULL);
CREATE INDEX certificate_of_unit ON certificate (subject);
CREATE INDEX certificate_revoked ON certificate (revoked_ms) WHERE revoked_ms
> 0;
CREATE TABLE chain (station TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL,
head TEXT NOT NULL, signed_seq BIGINT NOT NULL, signed_head TEXT NOT NULL,
signature BLOB, signed_ms BIGINT NOT NULL);
CREATE TABLE audit (station TEXT NOT NULL, seq BIGINT NOT NULL, time_ms BIGINT
NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, revision BIGINT NOT
NULL, serial TEXT NOT NULL, peer TEXT NOT NULL, detail TEXT NOT NULL,
row_digest TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (station, seq));
CREATE UNIQUE INDEX audit_of_row ON audit (subject, revision) WHERE revision >
0;
CREATE INDEX audit_without_row ON audit (subject) WHERE revision = 0 AND
subject <> '';
CREATE INDEX audit_without_unit ON audit (serial) WHERE subject = '';
