/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import type { Migration, SqliteFile } from '../storage/sqlite-file.ts'

/*
 * The indexes are partial: each holds only the rows in one state, so that its size, and with it the cost of a claim,
 * does not grow with the number of jobs that have ended. Inputs and results have tables of their own, since SQLite
 * rewrites a whole row when a heartbeat changes one of its columns.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    priority TEXT NOT NULL,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    callback_url TEXT,
    concurrency_group TEXT,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    attempts INTEGER NOT NULL,
    progress REAL NOT NULL,
    last_error TEXT,
    token INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    lease_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    expires_at INTEGER,
    expected_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS job_inputs (seq INTEGER PRIMARY KEY, content_type TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS job_results (seq INTEGER PRIMARY KEY, content_type TEXT NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS job_workers (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_expecting ON jobs (expected_bytes) WHERE status IN ('QUEUED', 'IN_PROGRESS');
  CREATE INDEX IF NOT EXISTS jobs_queued ON jobs (type, priority, run_at, seq) WHERE status = 'QUEUED';
  CREATE INDEX IF NOT EXISTS jobs_in_progress ON jobs (seq) WHERE status = 'IN_PROGRESS';
  CREATE INDEX IF NOT EXISTS jobs_dead ON jobs (seq) WHERE failure = 'DEAD';
  CREATE INDEX IF NOT EXISTS jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_queued_of_group ON jobs (concurrency_group)
    WHERE status = 'QUEUED' AND concurrency_group IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_in_progress_of_group ON jobs (concurrency_group)
    WHERE status = 'IN_PROGRESS' AND concurrency_group IS NOT NULL;
  CREATE UNIQUE INDEX IF NOT EXISTS jobs_idempotency ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
`

/**
 * Migrations of files of earlier versions, the oldest first. A released migration never changes. The files that these two
 * are for did not record which migrations they had, so each checks whether it is needed; later ones need not.
 */
const JOBS_FILE_STEPS: readonly Migration[] = [
  (file) => addMissingColumn(file, 'concurrency_group', 'TEXT'),
  (file) => addMissingColumn(file, 'expected_bytes', 'INTEGER NOT NULL DEFAULT 0')
]

/** Migrates a file of an earlier version, and creates missing tables and indexes of jobs. */
export function defineJobs(file: SqliteFile): void {
  file.migrate(JOBS_FILE_STEPS)
  file.define(SCHEMA)
}

/** Adds a column to the table of jobs, unless it exists or there is no table yet. */
function addMissingColumn(file: SqliteFile, name: string, definition: string): void {
  const columns = file.all('PRAGMA table_info(jobs)').map((column) => column['name'])
  if (columns.length > 0 && !columns.includes(name)) file.run(`ALTER TABLE jobs ADD COLUMN ${name} ${definition}`)
}
