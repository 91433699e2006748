/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

#include "cpu-features.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

#if defined(__x86_64__)

#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Bits of XCR0: which registers the system keeps for a thread. Source: Intel SDM, volume 1, chapter 13. */
#define AVX_STATE 0x06u
#define AVX512_STATE 0xe6u
#define TILE_STATE 0x60000u

/* Leaf 1, ECX. Source of all bits: Intel SDM, volume 2, CPUID. */
#define FMA (1u << 12)
#define OSXSAVE (1u << 27)
#define AVX (1u << 28)
#define F16C (1u << 29)
/* Leaf 7, subleaf 0, EBX */
#define AVX2 (1u << 5)
#define AVX512F (1u << 16)
#define AVX512DQ (1u << 17)
#define AVX512BW (1u << 30)
#define AVX512VL (1u << 31)
/* Leaf 7, subleaf 0, ECX */
#define AVX512_VNNI (1u << 11)
/* Leaf 7, subleaf 0, EDX */
#define AMX_TILE (1u << 24)
#define AMX_INT8 (1u << 25)
/* Leaf 7, subleaf 1, EAX */
#define AVX_VNNI (1u << 4)

static uint32_t kept_state(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int has_all(uint32_t found, uint32_t wanted) { return (found & wanted) == wanted; }

int cpu_has_avx2(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !has_all(c, FMA | OSXSAVE | AVX | F16C)) return 0;
  if (!has_all(kept_state(), AVX_STATE)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && has_all(b, AVX2);
}

int cpu_has_avx_vnni(void) {
  uint32_t a, b, c, d;
  return cpu_has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && has_all(a, AVX_VNNI);
}

int cpu_has_avx512_vnni(void) {
  uint32_t a, b, c, d;
  if (!cpu_has_avx2() || !has_all(kept_state(), AVX512_STATE)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && has_all(b, AVX512F | AVX512DQ | AVX512BW | AVX512VL) &&
         has_all(c, AVX512_VNNI);
}

#if defined(__linux__)

/* Source: Linux, Documentation/arch/x86/xstate.rst. */
#define REQUEST_PERMISSION 0x1023
#define TILE_DATA 18

/*
 * Asks for the process, whichever thread calls; to ask again costs a system call and changes nothing. The frame of a
 * signal then grows by 8 KB, so the system refuses where a thread has a smaller stack for signals.
 */
static int request_tiles(void) { return (int)syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA); }

#else

static int request_tiles(void) { return -1; }

#endif

Tiles judge_tiles(uint32_t leaf_7_edx, uint32_t kept_state, int (*request)(void)) {
  if (!has_all(leaf_7_edx, AMX_TILE | AMX_INT8) || !has_all(kept_state, TILE_STATE)) return TILES_MISSING;
  return request() == 0 ? TILES_GRANTED : TILES_REFUSED;
}

static Tiles tiles_of_this_process(void) {
  uint32_t a, b, c, d;
  if (!cpu_has_avx512_vnni() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return TILES_MISSING;
  return judge_tiles(d, kept_state(), request_tiles);
}

int cpu_has_amx_int8(void) { return tiles_of_this_process() == TILES_GRANTED; }

int tiles_are_refused(void) { return tiles_of_this_process() == TILES_REFUSED; }

/* A compiler may be too old for the instructions of some. */
const Kernels *const all_kernels[] = {
#if !defined(WITHOUT_AMX_INT8)
    &kernels_amx_int8,
#endif
    &kernels_avx512_vnni,
#if !defined(WITHOUT_AVX_VNNI)
    &kernels_avx_vnni,
#endif
    &kernels_avx2, &kernels_reference, NULL};

#elif defined(__aarch64__)

#if defined(__linux__)

#include <sys/auxv.h>

/* Source: Linux, Documentation/arch/arm64/elf_hwcaps.rst. */
#define ASIMDDP (1ul << 20)
#define I8MM (1ul << 13)

int cpu_has_neon_dotprod(void) { return (getauxval(AT_HWCAP) & ASIMDDP) != 0; }

int cpu_has_neon_i8mm(void) { return (getauxval(AT_HWCAP2) & I8MM) != 0; }

#else

#include <sys/sysctl.h>

static int is_set(const char *name) {
  int value = 0;
  size_t length = sizeof value;
  return sysctlbyname(name, &value, &length, NULL, 0) == 0 && value != 0;
}

int cpu_has_neon_dotprod(void) { return is_set("hw.optional.arm.FEAT_DotProd"); }

int cpu_has_neon_i8mm(void) { return is_set("hw.optional.arm.FEAT_I8MM"); }

#endif

int cpu_has_neon(void) { return 1; }

const Kernels *const all_kernels[] = {&kernels_neon_i8mm, &kernels_neon_dotprod, &kernels_neon, &kernels_reference,
                                      NULL};

#else

const Kernels *const all_kernels[] = {&kernels_reference, NULL};

#endif

const Kernels *find_kernels(const char *name) {
  for (const Kernels *const *kernels = all_kernels; *kernels; kernels++)
    if ((!name || strcmp((*kernels)->name, name) == 0) && (*kernels)->is_supported()) return *kernels;
  return NULL;
}
