/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

/**
 * A name in a form that every key and address takes: SHA-256 as base64url. Names may be longer than a key, and have
 * characters that addresses treat in their own way.
 */
export function nameDigest(name: string): string {
  return hash('sha256', name, 'base64url')
}
