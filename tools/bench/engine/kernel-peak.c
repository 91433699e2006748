/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * Peak speed of the integer products of one layer, computed alone: prints a line for each kernel of this CPU and
 * each number of tokens, `kernel tokens multiply-adds a second`, the best of some attempts.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels.h"

#define ATTEMPTS 15
#define ATTEMPT_SECONDS 0.05

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *zeros(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) abort();
  return memset(memory, 0, (bytes + 63) / 64 * 64);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  const int hidden = atoi(arguments[1]), intermediate = atoi(arguments[2]);
  const int sizes[4][2] = {{hidden, 3 * hidden}, {hidden, hidden}, {hidden, intermediate}, {intermediate, hidden}};
  static const int token_counts[] = {1, 4, 16, 64, 256};
  Linear linears[4];
  double layer = 0;
  for (int i = 0; i < 4; i++) {
    const size_t outputs = (size_t)sizes[i][1];
    linears[i] = (Linear){.weights = zeros((size_t)sizes[i][0] * outputs),
                          .compensation = zeros(4 * outputs),
                          .scales = zeros(4 * outputs),
                          .bias = zeros(4 * outputs),
                          .inputs = sizes[i][0],
                          .outputs = sizes[i][1]};
    layer += (double)sizes[i][0] * sizes[i][1];
  }
  const size_t widest = (size_t)(3 * hidden > intermediate ? 3 * hidden : intermediate);
  uint8_t *inputs = zeros(256 * widest);
  float *out = zeros(256 * widest * 4), *row_scales = zeros(256 * 4);
  for (const Kernels *const *kernels = all_kernels; *kernels != &kernels_reference; kernels++)
    for (size_t t = 0; (*kernels)->is_supported() && t < sizeof token_counts / sizeof *token_counts; t++) {
      double best = 0;
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        const double began = seconds_now();
        double elapsed;
        long calls = 0;
        do {
          for (int i = 0; i < 4; i++)
            (*kernels)->multiply(inputs, token_counts[t], &linears[i], PLAIN,
                                 &(Destination){.out = out, .row_scales = row_scales});
          calls++;
          elapsed = seconds_now() - began;
        } while (elapsed < ATTEMPT_SECONDS);
        const double rate = (double)calls * token_counts[t] * layer / elapsed;
        if (rate > best) best = rate;
      }
      printf("%s %d %.0f\n", (*kernels)->name, token_counts[t], best);
    }
  return 0;
}
