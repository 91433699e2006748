/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/* Sixteen float lanes in four registers of NEON. */

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

/* Products take signed bytes. */
#define STORED_ZERO 128

typedef struct {
  float32x4_t part[4];
} Lanes;

#define LANES_OF(function) static inline Lanes lanes_##function

#define EACH_PART(expression)                                                                                          \
  Lanes result;                                                                                                        \
  for (int i = 0; i < 4; i++) result.part[i] = (expression);                                                           \
  return result;

LANES_OF(load)(const float *from) { EACH_PART(vld1q_f32(from + 4 * i)) }

static inline void lanes_store(float *to, Lanes a) {
  for (int i = 0; i < 4; i++) vst1q_f32(to + 4 * i, a.part[i]);
}

LANES_OF(set)(float x) { EACH_PART(vdupq_n_f32(x)) }

LANES_OF(add)(Lanes a, Lanes b) { EACH_PART(vaddq_f32(a.part[i], b.part[i])) }

LANES_OF(sub)(Lanes a, Lanes b) { EACH_PART(vsubq_f32(a.part[i], b.part[i])) }

LANES_OF(mul)(Lanes a, Lanes b) { EACH_PART(vmulq_f32(a.part[i], b.part[i])) }

LANES_OF(div)(Lanes a, Lanes b) { EACH_PART(vdivq_f32(a.part[i], b.part[i])) }

LANES_OF(max)(Lanes a, Lanes b) { EACH_PART(vmaxq_f32(a.part[i], b.part[i])) }

LANES_OF(min)(Lanes a, Lanes b) { EACH_PART(vminq_f32(a.part[i], b.part[i])) }

/* a * b + c, rounded once */
LANES_OF(fma)(Lanes a, Lanes b, Lanes c) { EACH_PART(vfmaq_f32(c.part[i], a.part[i], b.part[i])) }

/* c - a * b, rounded once */
LANES_OF(fnma)(Lanes a, Lanes b, Lanes c) { EACH_PART(vfmsq_f32(c.part[i], a.part[i], b.part[i])) }

LANES_OF(abs)(Lanes a) { EACH_PART(vabsq_f32(a.part[i])) }

/* Nearest integers, ties to even. */
LANES_OF(round)(Lanes a) { EACH_PART(vrndnq_f32(a.part[i])) }

static inline float32x4_t scale4(float32x4_t a, float32x4_t n) {
  const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
  return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
}

/* a * 2^n for integers n from -126 to 127 */
LANES_OF(scale)(Lanes a, Lanes n) { EACH_PART(scale4(a.part[i], n.part[i])) }

LANES_OF(from_integers)(const int32_t *from) { EACH_PART(vcvtq_f32_s32(vld1q_s32(from + 4 * i))) }

LANES_OF(from_halves)(const uint16_t *from) {
  EACH_PART(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + 4 * i))))
}

/* Nearest integers, ties to even, plus an offset, as bytes: signed ones or unsigned ones. Each has to fit. */
static inline void lanes_store_bytes(uint8_t *to, Lanes a, int offset) {
  int16x4_t words[4];
  for (int i = 0; i < 4; i++)
    words[i] = vmovn_s32(vaddq_s32(vcvtnq_s32_f32(a.part[i]), vdupq_n_s32(offset)));
  const int8x8_t low = vmovn_s16(vcombine_s16(words[0], words[1]));
  const int8x8_t high = vmovn_s16(vcombine_s16(words[2], words[3]));
  vst1q_u8(to, vreinterpretq_u8_s8(vcombine_s8(low, high)));
}

/* The first `count` lanes (all, when it is more), and `other` in the rest. */
LANES_OF(first)(Lanes a, int count, float other) {
  if (count >= 16) return a;
  static const int32_t places[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  EACH_PART(vbslq_f32(vcgtq_s32(vdupq_n_s32(count), vld1q_s32(places + 4 * i)), a.part[i], vdupq_n_f32(other)))
}

/* Halves are added to halves. */
static inline float lanes_sum(Lanes a) {
  const float32x4_t low = vaddq_f32(a.part[0], a.part[2]), high = vaddq_f32(a.part[1], a.part[3]);
  const float32x4_t four = vaddq_f32(low, high);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

static inline float lanes_greatest(Lanes a) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.part[0], a.part[1]), vmaxq_f32(a.part[2], a.part[3])));
}

static inline void transpose4(const float *from, size_t stride, int rows, float *to, size_t to_stride) {
  float32x4_t r[4];
  for (int i = 0; i < 4; i++) r[i] = i < rows ? vld1q_f32(from + (size_t)i * stride) : vdupq_n_f32(0);
  const float32x4x2_t upper = vtrnq_f32(r[0], r[1]), lower = vtrnq_f32(r[2], r[3]);
  for (int i = 0; i < 2; i++) {
    vst1q_f32(to + (size_t)i * to_stride, vcombine_f32(vget_low_f32(upper.val[i]), vget_low_f32(lower.val[i])));
    vst1q_f32(to + (size_t)(i + 2) * to_stride,
              vcombine_f32(vget_high_f32(upper.val[i]), vget_high_f32(lower.val[i])));
  }
}

/* A square of 16 x 16. Of `from` only so many rows are read; zeros take the place of the others. */
static inline void lanes_transpose(const float *from, size_t stride, int rows, float *to, size_t to_stride) {
  for (int row = 0; row < 16; row += 4)
    for (int column = 0; column < 16; column += 4)
      transpose4(from + (size_t)row * stride + column, stride, rows - row, to + (size_t)column * to_stride + row,
                 to_stride);
}
