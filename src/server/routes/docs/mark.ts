/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** The product's mark, 32 × 32: three embeddings from one origin, two of which mean about the same. */
const MARK = `<rect width="32" height="32" rx="7" fill="#0f766e"/>
<g fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round"><path d="M8 24 14 8.5M8 24 19.5 11.5M8 24h15"/></g>
<g fill="#fff"><circle cx="8" cy="24" r="2.6"/><circle cx="14" cy="8.5" r="2.6"/><circle cx="19.5" cy="11.5" r="2.6"/></g>
<circle cx="23.5" cy="24" r="2.6" fill="#fbbf24"/>`

/** The mark alone, as an icon. */
export const MARK_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${MARK}</svg>`

/** The mark and the product's name, for a dark background. */
export const LOGO_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 172 32" width="215" height="40" role="img">
<title>sbert-service</title>${MARK}
<text x="42" y="22" fill="#fff" font-family="system-ui, sans-serif" font-size="19" font-weight="600">sbert-service</text></svg>`
