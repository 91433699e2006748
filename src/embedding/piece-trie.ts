/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

const FIRST_SLOT_COUNT = 1024

/**
 * Finds the longest piece of a vocabulary at a position of a word, in one pass over its characters.
 *
 * Two tries share the nodes: one of pieces that begin a word, one of pieces that continue it. The edges of all nodes
 * are in one open-addressed hash table of integers, so a step rarely needs more than one probe and makes no garbage; a
 * `Map` from strings to ids would make and hash a new string for each length that it tries.
 */
export class PieceTrie {
  /** Slots of four: node, character, child, unused. A child of 0 means that the slot is empty, since no edge leads to a root. */
  #slots = new Int32Array(4 * FIRST_SLOT_COUNT)
  #slotMask = FIRST_SLOT_COUNT - 1
  /** Id of the piece that ends at a node, or -1. */
  readonly #ids: Int32Array
  #nodeCount = 2

  /**
   * @param vocabulary ids by piece
   * @param continuingPrefix the prefix of pieces that continue a word, such as `##`
   */
  constructor(vocabulary: ReadonlyMap<string, number>, continuingPrefix: string) {
    const ids: number[] = []
    for (const [piece, id] of vocabulary) {
      ids[this.#addPath(0, piece)] = id
      if (piece.startsWith(continuingPrefix)) ids[this.#addPath(1, piece.slice(continuingPrefix.length))] = id
    }
    this.#ids = Int32Array.from({ length: this.#nodeCount }, (_, node) => ids[node] ?? -1)
  }

  /**
   * Cuts a word into pieces from its start, each the longest that the vocabulary has.
   *
   * @param word code points
   * @param wordLength how many of `word` to read
   * @param pieces receives the ids; at least `wordLength` long
   * @returns the number of pieces, or 0 when pieces cannot cover the whole word
   */
  cut(word: Int32Array, wordLength: number, pieces: Int32Array): number {
    let pieceCount = 0
    let start = 0
    while (start < wordLength) {
      let node = start === 0 ? 0 : 1
      let longestEnd = start
      let longestId = -1
      for (let index = start; index < wordLength; index++) {
        node = this.#child(node, word[index]!)
        if (node === 0) break
        const id = this.#ids[node]!
        if (id !== -1) {
          longestId = id
          longestEnd = index + 1
        }
      }
      if (longestId === -1) return 0
      pieces[pieceCount++] = longestId
      start = longestEnd
    }
    return pieceCount
  }

  /** Adds the nodes of a piece; returns the last one. */
  #addPath(root: number, piece: string): number {
    let node = root
    for (const character of piece) {
      const codePoint = character.codePointAt(0) ?? 0
      const slot = this.#slotOf(node, codePoint)
      const child = this.#slots[slot + 2]!
      node = child === 0 ? this.#addEdge(slot, node, codePoint, this.#nodeCount++) : child
    }
    return node
  }

  #addEdge(slot: number, node: number, codePoint: number, child: number): number {
    this.#slots[slot] = node
    this.#slots[slot + 1] = codePoint
    this.#slots[slot + 2] = child
    // Half full at most: beyond, probes get long.
    if (2 * this.#nodeCount > this.#slotMask) this.#grow()
    return child
  }

  #grow(): void {
    const edges = this.#slots
    this.#slots = new Int32Array(2 * edges.length)
    this.#slotMask = 2 * this.#slotMask + 1
    for (let edge = 0; edge < edges.length; edge += 4) {
      if (edges[edge + 2] === 0) continue
      const slot = this.#slotOf(edges[edge]!, edges[edge + 1]!)
      this.#slots.set(edges.subarray(edge, edge + 3), slot)
    }
  }

  #child(node: number, codePoint: number): number {
    return this.#slots[this.#slotOf(node, codePoint) + 2]!
  }

  /** Where the edge is, or the empty slot where it would go. */
  #slotOf(node: number, codePoint: number): number {
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(codePoint, 0x85ebca6b)
    hash ^= hash >>> 15
    for (;;) {
      const slot = (hash & this.#slotMask) * 4
      if (this.#slots[slot + 2] === 0) return slot
      if (this.#slots[slot] === node && this.#slots[slot + 1] === codePoint) return slot
      hash++
    }
  }
}
