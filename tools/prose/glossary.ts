/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** A wording that readers stumble over, and what to write instead. */
export interface Rule {
  /** What to write. */
  readonly write: string
  /** The wording: a space matches a line break too, and ^ the beginning of a paragraph. */
  readonly instead: RegExp
  /** Paths that the rule is for; all when left out. */
  readonly only?: RegExp
  /** Files in which the wording means something else. */
  readonly except?: readonly { readonly path: string; readonly why: string }[]
}

/** The terms of this project, for prose: documents, comments and texts in quotes. */
export const WORDING: readonly Rule[] = [
  { write: 'cancel', instead: /\bcall(?:s|ed|ing)?(?: (?:it|them|one|the job|a job|the training))? off\b/i },
  {
    write: 'enqueue, post, send or submit',
    instead: /(?<!\b(?:by|left|right|one) )\bhand(?:s|ed|ing)?(?: (?:it|them|one|work|jobs?))? in\b/i
  },
  { write: 'notifier', instead: /\bbells?\b/i },
  { write: 'worker slot', instead: /\bseats?\b/i },
  { write: 'write buffer', instead: /\bgatherers?\b/i },
  { write: 'reporter', instead: /\bdesks?\b/i },
  {
    write: 'metrics or statistics',
    instead:
      /\b(?:process|runtime|usage|server|service)(?:'s)? figures\b|\bfigures of (?:Prometheus|CloudWatch|.?\/metrics)/i
  },
  { write: 'dependencies or options', instead: /\b(?:its|the|which) parts (?:come in|are passed in|are handed)\b/i },
  {
    write: 'batch-invariant, or "in any batch"',
    instead: /\bcompany\b/i,
    except: [{ path: 'src/followup/word-lists.ts', why: 'a word of English that the entity finder knows' }]
  },
  { write: 'the thing itself, as in "CPU features that decide…"', instead: /\bwhat of (?:an?|the|its|that)\b/i },
  { write: '"this many consecutive…"', instead: /\bof so many\b/i },
  { write: 'epilogue', instead: /\bendings?\b/i, only: /^src\/embedding\/native\// },
  { write: 'position embeddings', instead: /\bplace embeddings?\b|\bembeddings? of places?\b/i },
  { write: 'attention norm and feed-forward norm', instead: /\b(?:attended|fed)(?:-| )(?:layer )?norm/i },
  { write: 'unexpectedly, or "on unexpected errors"', instead: /\bby surprise\b/i },
  { write: 'expensive', instead: /\bdear(?:er|est)?\b(?! )|\bdear(?:er|est)? (?:to|for|than|as|and|when)\b/i },
  {
    write: 'a plain connective: in which, by which, of it, until now, so that',
    instead:
      /\b(?:whereof|whereby|wherein|whereupon|thereof|therein|thereby|thereupon|herein|hereby|hitherto|heretofore|lest|whence|whither|thence|wherefore|for want of|albeit|forthwith|aforesaid)\b/i
  },
  {
    write: 'the subject first: "In a version, …", "The rows of…"',
    instead: /(?:^|[.!?] )Of (?:an?|the|all|each|its|those|these|which|whom|several|jobs|mentors|parts|rows|one|two)\b/
  },
  {
    write: 'the subject first: "Whoever…", "A caller who…"',
    instead: /(?:^|[.!?] )Who \w+(?: [^\s.,:;!?|()\0]+)* (?:is|are|asks|can|does|gets|may|must|needs)\b(?![^.!?\0]*\?)/
  },
  { write: '"This needs…", "Required:"', instead: /(?:^|[.!?] )Wanted is\b/ },
  { write: 'two sentences: which … that … which', instead: /\bwhich\b[^.;:!?|()\0]*\bthat\b[^.;:!?|()\0]*\bwhich\b/i }
]

/** The same for the names of types, functions, fields and files. */
export const NAMES: readonly Rule[] = [
  { write: 'Notifier', instead: /\b(?:\w*Bells?|bells?)\b/ },
  { write: 'WorkerSlot or Slot', instead: /\b(?:\w*Seats?|seats?)\b/ },
  { write: 'WriteBuffer', instead: /\b(?:\w*Gatherer|gatherer)\b/ },
  { write: 'Reporter', instead: /\b(?:\w*Desk|desk)\b/ },
  { write: 'cancel', instead: /\b(?:callOff|calledOff|callsOff)\b/ },
  { write: 'enqueue', instead: /\b(?:handIn|handedIn|handsIn)\b/ },
  { write: 'Dependencies or Options', instead: /\b\w*[a-zA-Z]Parts\b/ }
]
