-- +goose Up
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE peer(
  pk INTEGER PRIMARY KEY,
  daemon_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  paired_at INTEGER NOT NULL,
  unpaired_at INTEGER
);
CREATE TABLE peer_head(peer_pk INTEGER PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL, sig BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE pairing(
  peer_pk INTEGER PRIMARY KEY,
  transcript BLOB NOT NULL,
  mine INTEGER, theirs INTEGER, acked INTEGER NOT NULL DEFAULT 0,
  until INTEGER NOT NULL,
  peer BLOB,
  again INTEGER NOT NULL DEFAULT 0,
  armed INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE invite(
  id INTEGER PRIMARY KEY,
  secret BLOB,
  sources TEXT NOT NULL,
  mine INTEGER NOT NULL DEFAULT 0,
  name TEXT NOT NULL DEFAULT '',
  expires_at INTEGER NOT NULL,
  spent_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE leg(
  pk INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  peer_pk INTEGER NOT NULL,
  opener INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  contract BLOB,
  contract_hash BLOB,
  created_at INTEGER NOT NULL,
  opened_at INTEGER,
  ttl_at INTEGER,
  closed_at INTEGER,
  receipts_seen INTEGER NOT NULL DEFAULT 0,
  ended_here INTEGER NOT NULL DEFAULT 0,
  ended_there INTEGER NOT NULL DEFAULT 0,
  UNIQUE(job, peer_pk)
);
CREATE TABLE leg_done(leg INTEGER NOT NULL, agent TEXT NOT NULL, summary TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(leg, agent)) WITHOUT ROWID;
CREATE TABLE conn(
  pk INTEGER PRIMARY KEY,
  leg INTEGER NOT NULL,
  cb BLOB NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX conn_leg ON conn(leg);
CREATE TABLE frame(
  conn INTEGER NOT NULL, dir INTEGER NOT NULL, seq INTEGER NOT NULL,
  hash BLOB NOT NULL, sig BLOB NOT NULL, body BLOB,
  PRIMARY KEY(conn, dir, seq)
) WITHOUT ROWID;

CREATE TABLE outbox(
  pos INTEGER PRIMARY KEY,
  leg INTEGER NOT NULL,
  id BLOB NOT NULL UNIQUE,
  type TEXT NOT NULL,
  from_agent TEXT NOT NULL, to_agent TEXT NOT NULL,
  state TEXT NOT NULL,
  kind TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL,
  retry_at INTEGER,
  expires_at INTEGER NOT NULL
);
CREATE INDEX outbox_open ON outbox(leg, pos) WHERE state = 'queued';
CREATE TABLE outbox_body(pos INTEGER PRIMARY KEY, reply_to BLOB, expires INTEGER, answered_by BLOB, payload BLOB NOT NULL);

CREATE TABLE inbox(
  pos INTEGER PRIMARY KEY,
  leg INTEGER,
  id BLOB NOT NULL,
  from_agent TEXT NOT NULL, to_agent TEXT NOT NULL,
  state TEXT NOT NULL,
  turn INTEGER,
  reply_to BLOB,
  at INTEGER NOT NULL,
  may_repeat INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX inbox_open ON inbox(to_agent, pos) WHERE state IN ('stored', 'delivering');
CREATE INDEX inbox_local ON inbox(id) WHERE leg IS NULL;
CREATE TABLE inbox_body(pos INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE seen(
  peer_pk INTEGER NOT NULL,
  id BLOB NOT NULL,
  leg INTEGER NOT NULL,
  pos INTEGER,
  n INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  kind TEXT NOT NULL DEFAULT '',
  reply_id BLOB,
  at INTEGER NOT NULL,
  PRIMARY KEY(peer_pk, id)
) WITHOUT ROWID;
CREATE INDEX seen_leg ON seen(leg, n);

CREATE TABLE agent(
  pk INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '',
  program TEXT NOT NULL,
  argv TEXT NOT NULL, env TEXT NOT NULL,
  dir TEXT NOT NULL, scope TEXT NOT NULL,
  status TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  rev INTEGER NOT NULL,
  wanted INTEGER NOT NULL,
  ending TEXT NOT NULL DEFAULT '',
  turns INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, since INTEGER NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
);
CREATE TABLE session(
  pk INTEGER PRIMARY KEY,
  agent INTEGER NOT NULL,
  program_session TEXT NOT NULL DEFAULT '',
  can_load INTEGER NOT NULL DEFAULT 0,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER
);
CREATE INDEX session_agent ON session(agent);
CREATE TABLE turn(
  pk INTEGER PRIMARY KEY,
  agent INTEGER NOT NULL, session INTEGER NOT NULL,
  at INTEGER NOT NULL, ended_at INTEGER, stop TEXT NOT NULL DEFAULT ''
);
CREATE INDEX turn_open ON turn(agent) WHERE ended_at IS NULL;
CREATE TABLE remote_agent(
  peer_pk INTEGER NOT NULL, name TEXT NOT NULL,
  rev INTEGER NOT NULL, card TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(peer_pk, name)
) WITHOUT ROWID;

CREATE TABLE approval(
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  title TEXT NOT NULL,
  detail TEXT NOT NULL,
  state TEXT NOT NULL,
  answer TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, answered_at INTEGER
);
CREATE INDEX approval_open ON approval(expires_at) WHERE state = 'open';
CREATE UNIQUE INDEX approval_ref ON approval(kind, ref) WHERE state = 'open';

CREATE TABLE audit(n INTEGER PRIMARY KEY, prev BLOB NOT NULL, hash BLOB NOT NULL, entry BLOB NOT NULL);
CREATE TABLE audit_head(n INTEGER PRIMARY KEY, hash BLOB NOT NULL, sig BLOB NOT NULL, at INTEGER NOT NULL);

-- +goose Down
SELECT 1;
