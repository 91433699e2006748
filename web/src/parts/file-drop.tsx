/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import { useSignal } from '@preact/signals'
import { texts } from '../texts.ts'

interface FileDropProps {
  readonly label: string
  /** As `accept` of an input. */
  readonly accept: string
  readonly onFile: (file: File) => void
}

/** A place to drop a file on, or to choose one. */
export function FileDrop({ label, accept, onFile }: FileDropProps) {
  const isOver = useSignal(false)
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0]
    if (file !== undefined) onFile(file)
  }
  return (
    <label
      class={`drop${isOver.value ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        isOver.value = true
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault()
        isOver.value = false
        take(event.dataTransfer?.files)
      }}
    >
      <span class="drop-label">{label}</span>
      <span class="hint">{texts.drop.hint}</span>
      <input
        type="file"
        accept={accept}
        onChange={(event) => {
          take(event.currentTarget.files)
          // The same file, changed, is taken again.
          event.currentTarget.value = ''
        }}
      />
    </label>
  )
}
