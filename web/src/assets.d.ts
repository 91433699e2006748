/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** Files that the build copies under a name with their hash; the import gives their address. */
declare module '*.svg' {
  const address: string
  export default address
}
declare module '*.csv' {
  const address: string
  export default address
}
declare module '*.json.txt' {
  const address: string
  export default address
}
declare module '*.css' {}
