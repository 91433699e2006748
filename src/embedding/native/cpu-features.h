/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_CPU_FEATURES_H
#define SBERT_CPU_FEATURES_H

#include <stdint.h>

/* Whether this CPU has the instructions that a file of kernels is compiled for, and the system keeps their registers. */

#if defined(__x86_64__)
int cpu_has_avx2(void); /* with FMA and F16C */
int cpu_has_avx_vnni(void);
int cpu_has_avx512_vnni(void); /* with F, BW, VL and DQ */
int cpu_has_amx_int8(void);    /* beside AVX-512 */

/* Tiles are kept for a process that has asked for them. A system may refuse: containers filter system calls. */
typedef enum { TILES_MISSING, TILES_REFUSED, TILES_GRANTED } Tiles;

/*
 * What a process may do with tiles.
 *
 * leaf_7_edx   what CPUID says in leaf 7, subleaf 0
 * kept_state   the low half of XCR0
 * request      asks the system for their registers; 0 when it grants them. Called only where there are tiles
 */
Tiles judge_tiles(uint32_t leaf_7_edx, uint32_t kept_state, int (*request)(void));

/* Whether the CPU has tiles that the system refuses. */
int tiles_are_refused(void);
#elif defined(__aarch64__)
int cpu_has_neon(void);
int cpu_has_neon_dotprod(void);
int cpu_has_neon_i8mm(void);
#endif

#endif
