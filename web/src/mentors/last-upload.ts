/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { signal } from '@preact/signals'
import type { StoredMentor } from './mentor.ts'

/** What the service said of the last mentor that was stored here. */
export const lastUpload = signal<StoredMentor | undefined>(undefined)
