/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#ifndef SBERT_CPU_FEATURES_H
#define SBERT_CPU_FEATURES_H

/* Whether this CPU has the instructions that a file of kernels is compiled for, and the system keeps their registers. */

#if defined(__x86_64__)
int cpu_has_avx2(void); /* with FMA and F16C */
int cpu_has_avx_vnni(void);
int cpu_has_avx512_vnni(void); /* with F, BW, VL and DQ */
#elif defined(__aarch64__)
int cpu_has_neon(void);
int cpu_has_neon_dotprod(void);
int cpu_has_neon_i8mm(void);
#endif

#endif
