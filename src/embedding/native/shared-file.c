/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "shared-file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct SharedFile {
  struct stat status;
  void *bytes;
  int users;
  SharedFile *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SharedFile *files;

/* The file of that status, not another one that has come to have its name. */
static SharedFile *find(const struct stat *status) {
  for (SharedFile *file = files; file; file = file->next)
    if (file->status.st_dev == status->st_dev && file->status.st_ino == status->st_ino &&
        file->status.st_size == status->st_size && file->status.st_mtim.tv_sec == status->st_mtim.tv_sec &&
        file->status.st_mtim.tv_nsec == status->st_mtim.tv_nsec)
      return file;
  return NULL;
}

static SharedFile *add(int descriptor, const struct stat *status) {
  SharedFile *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->status = *status;
  file->bytes = mmap(NULL, (size_t)status->st_size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (file->bytes == MAP_FAILED) {
    free(file);
    return NULL;
  }
  file->next = files;
  files = file;
  return file;
}

SharedFile *shared_file_open(const char *path) {
  struct stat status;
  SharedFile *file = NULL;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return NULL;
  if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
    pthread_mutex_lock(&lock);
    file = find(&status);
    if (!file) file = add(descriptor, &status);
    if (file) file->users++;
    pthread_mutex_unlock(&lock);
  }
  close(descriptor);
  return file;
}

void shared_file_close(SharedFile *file) {
  if (!file) return;
  pthread_mutex_lock(&lock);
  if (--file->users == 0) {
    SharedFile **link = &files;
    while (*link != file) link = &(*link)->next;
    *link = file->next;
    munmap(file->bytes, (size_t)file->status.st_size);
    free(file);
  }
  pthread_mutex_unlock(&lock);
}

const void *shared_file_bytes(const SharedFile *file) { return file->bytes; }

size_t shared_file_length(const SharedFile *file) { return (size_t)file->status.st_size; }
