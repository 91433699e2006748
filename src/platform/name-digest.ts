/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { hash } from 'node:crypto'

/**
 * Hashes a name into a form that is valid in keys of DynamoDB and S3: SHA-256 as base64url. Names may be too long for a key
 * and have special characters.
 */
export function nameDigest(name: string): string {
  return hash('sha256', name, 'base64url')
}
