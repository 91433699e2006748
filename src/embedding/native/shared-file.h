/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_SHARED_FILE_H
#define SBERT_SHARED_FILE_H

#include <stddef.h>

/* A file that is mapped into memory, read only: once, however many threads of the process open it. */
typedef struct SharedFile SharedFile;

/* Maps a file; NULL when it cannot be read, or is empty. */
SharedFile *shared_file_open(const char *path);

/* Lets go of a file; NULL is none. */
void shared_file_close(SharedFile *file);

const void *shared_file_bytes(const SharedFile *file);

size_t shared_file_length(const SharedFile *file);

#endif
