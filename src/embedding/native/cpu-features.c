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

/* Bits of XCR0: which registers the system keeps for a thread. Source: Intel SDM, volume 1, chapter 13. */
#define AVX_STATE 0x06u
#define AVX512_STATE 0xe6u

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

const Kernels *const all_kernels[] = {&kernels_avx512_vnni, &kernels_avx_vnni, &kernels_avx2, &kernels_reference, NULL};

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
