/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Kernels for x86-64 CPUs with AMX for bytes beside AVX-512: its tiles for linear layers, AVX-512 for all else. */

#include <string.h>

#include "cpu-features.h"
#include "kernels.h"
#include "lanes-avx512.h"

/* 2 x 2 registers of sums; with two of inputs and two of weights these are all eight. */
#define TILE_ROWS 32
#define TILE_VECTORS 2
#define QUERIES 4
#define KEY_VECTORS 2
#define CONTEXT_VECTORS 2
#define HAS_OWN_MULTIPLY

#include "kernels-of-lanes.h"

#define REGISTER_COUNT 8
#define REGISTER_ROWS 16
#define REGISTER_BYTES 64 /* of a row */
/* Registers have numbers, which must be literals: 0 and 1 hold the sums of the upper rows, 2 and 3 those of the lower. */
#define UPPER_INPUTS 4
#define LOWER_INPUTS 5
#define LEFT_WEIGHTS 6
#define RIGHT_WEIGHTS 7

/* The operand of LDTILECFG. Source: Intel SDM, volume 1, chapter 18. */
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} RegisterShapes;

/* Sums and inputs have at most as many rows as the matrix, so that none beyond it are read. */
INLINE void configure_registers(int rows) {
  RegisterShapes shapes = {.palette = 1};
  for (int number = 0; number < REGISTER_COUNT; number++) {
    const int is_of_weights = number == LEFT_WEIGHTS || number == RIGHT_WEIGHTS;
    shapes.row_bytes[number] = REGISTER_BYTES;
    shapes.rows[number] = (uint8_t)(is_of_weights || rows > REGISTER_ROWS ? REGISTER_ROWS : rows);
  }
  /* gcc 11 to 13 take the operand for 8 bytes, and could leave out that the others are set. */
  __asm__ volatile("" : : "r"(&shapes) : "memory");
  _tile_loadconfig(&shapes);
}

/* Sums begin at the compensation, which is the same for all rows: they are read at a distance of 0 bytes. */
INLINE void start_sums(const int32_t *compensation, int has_lower) {
  _tile_loadd(0, compensation, 0);
  _tile_loadd(1, compensation + LANES, 0);
  if (!has_lower) return;
  _tile_loadd(2, compensation, 0);
  _tile_loadd(3, compensation + LANES, 0);
}

/* Adds the products of 64 inputs of each row. The packed weights of a panel are as a register wants them. */
INLINE void add_products(const uint8_t *upper, const uint8_t *lower, int has_lower, const int8_t *weights, int depth) {
  _tile_loadd(UPPER_INPUTS, upper, (size_t)depth);
  _tile_loadd(LEFT_WEIGHTS, weights, REGISTER_BYTES);
  _tile_loadd(RIGHT_WEIGHTS, weights + (size_t)depth * LANES, REGISTER_BYTES);
  _tile_dpbusd(0, UPPER_INPUTS, LEFT_WEIGHTS);
  _tile_dpbusd(1, UPPER_INPUTS, RIGHT_WEIGHTS);
  if (!has_lower) return;
  _tile_loadd(LOWER_INPUTS, lower, (size_t)depth);
  _tile_dpbusd(2, LOWER_INPUTS, LEFT_WEIGHTS);
  _tile_dpbusd(3, LOWER_INPUTS, RIGHT_WEIGHTS);
}

/* Where upper and lower rows overlap, both have the same sums. */
INLINE void store_sums(int32_t *sums, int rows) {
  const size_t row_bytes = TILE_VECTORS * LANES * sizeof *sums;
  _tile_stored(0, sums, row_bytes);
  _tile_stored(1, sums + LANES, row_bytes);
  if (rows <= REGISTER_ROWS) return;
  sums += (rows - REGISTER_ROWS) * TILE_VECTORS * LANES;
  _tile_stored(2, sums, row_bytes);
  _tile_stored(3, sums + LANES, row_bytes);
}

/* A tile whose sums are in memory and not yet floats. */
typedef struct {
  int column, row, rows;
} Waiting;

/*
 * Rows are dealt out evenly, TILE_ROWS or fewer at a time: where there are several tiles, none has fewer rows than a
 * register. Its lower 16 rows may overlap its upper 16. While a tile's products are added up, the one before it is
 * finished, some rows after each step, since products and floats are computed by different parts of the CPU: measured
 * with 12 tokens, 1.13 times as fast as one after the other.
 */
INLINE void multiply_with(const uint8_t *inputs, int rows, const Linear *linear, const Epilogue epilogue,
                          const Destination *to) {
  _Alignas(64) int32_t sums[TILE_ROWS * TILE_VECTORS * LANES];
  const int tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, depth = linear->inputs, steps = depth / REGISTER_BYTES;
  /* Lines of the weights beside these that each step fetches. A single tile only streams: the CPU fetches that itself. */
  const int lines = tiles == 1 ? 0 : (TILE_VECTORS * LANES + tiles - 1) / tiles;
  Waiting waiting = {0, 0, 0};
  configure_registers(rows);
  for (int column = 0; column < linear->outputs; column += TILE_VECTORS * LANES) {
    const int8_t *weights = linear->weights + (size_t)column * depth;
    uintptr_t ahead = (uintptr_t)weights + (size_t)TILE_VECTORS * LANES * depth;
    for (int tile = 0; tile < tiles; tile++) {
      const int row = (int)((int64_t)rows * tile / tiles), end = (int)((int64_t)rows * (tile + 1) / tiles);
      const int has_lower = end - row > REGISTER_ROWS;
      const uint8_t *upper = inputs + (size_t)row * depth;
      const uint8_t *lower = has_lower ? inputs + (size_t)(end - REGISTER_ROWS) * depth : upper;
      start_sums(linear->compensation + column, has_lower);
      for (int step = 0, finished = 0; step < steps; step++) {
        const int k = step * REGISTER_BYTES, finish_end = waiting.rows * (step + 1) / steps;
        add_products(upper + k, lower + k, has_lower, weights + (size_t)k * LANES, depth);
        /* May point beyond the weights: fetching ahead never faults. */
        for (int line = 0; line < lines; line++, ahead += 64) _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        finish_tile(sums + finished * TILE_VECTORS * LANES, linear, waiting.column, waiting.row + finished,
                    finish_end - finished, epilogue, to);
        finished = finish_end;
      }
      store_sums(sums, end - row);
      waiting = (Waiting){column, row, end - row};
    }
  }
  finish_tile(sums, linear, waiting.column, waiting.row, waiting.rows, epilogue, to);
  /* Else every change of threads would save their 8 KB. */
  _tile_release();
}

const Kernels kernels_amx_int8 = KERNELS_OF_LANES("amx-int8", cpu_has_amx_int8);
