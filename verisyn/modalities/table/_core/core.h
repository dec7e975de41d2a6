/* The compiled core of the tree generator: plain C99, no Python, no dependencies.
 *
 * A part (a column of codes) is a code tree: each inner node is a question "right or left?", each leaf a code. Each
 * question is answered by a linear part and a small forest of boosted trees on the parts before it, and on the answers of
 * the questions above.
 *
 *   plan.c   code_tree     builds a part's code tree from the counts of its codes
 *            dependence    mutual information of one part with those before it, to choose features of a wide table
 *   fit.c    fit_part      answers every question of a code tree, parents first
 *   linear.c fit_linear    the linear part of one question: a ridge logistic regression on normal scores
 *   grow.c   boost         the trees of one question, for one fold left out
 *   score.c  logits_of     sums the trees of one question, for many rows at once (fold.h)
 *   draw.c   draw          draws codes, evenly over the rows
 *            draw_within   draws codes from an allowed set, with the exact mass of that set
 *            follow        follows given codes and sums their log-probability
 *
 * Every sum has a fixed order and exp and log are our own, so that the same seed gives the same bytes everywhere.
 */
#ifndef VERISYN_CORE_H
#define VERISYN_CORE_H
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static inline float exp_(float x) { /* for x in [-80, 0]: 2^k times a polynomial, relative error under 2e-7 */
    float t = x * 1.44269504f;
    int k = (int)(t - 0.5f);
    float f = (t - (float)k) * 0.693147181f;
    float p = 1.f + f * (1.f + f * (.5f + f * (.166666667f + f * (.0416666667f + f * (.00833333333f + f * .00138888889f)))));
    union { float f; uint32_t i; } scale;
    scale.i = (uint32_t)(k + 127) << 23;
    return p * scale.f;
}

static inline float sigmoid(float x) {
    float z = exp_(fabsf(x) > 80.f ? -80.f : -fabsf(x));
    return x < 0 ? z / (1.f + z) : 1.f / (1.f + z);
}

static inline double right_share(float logit) { /* keeps both sides above zero, unlike a rounded sigmoid */
    return logit < 0 ? (double)sigmoid(logit) : 1.0 - (double)sigmoid(-logit);
}

static inline float softplus(float x) { /* log(1 + e^x), by the series of atanh */
    float z = exp_(fabsf(x) > 80.f ? -80.f : -fabsf(x));
    float s = z / (2.f + z), q = s * s;
    float l = 2.f * s * (1.f + q * (1 / 3.f + q * (1 / 5.f + q * (1 / 7.f + q * (1 / 9.f + q * (1 / 11.f))))));
    return (x > 0 ? x : 0.f) + l;
}

static inline uint64_t next_random(uint64_t *state) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline int64_t random_below(uint64_t *state, int64_t n) {
    return (int64_t)((double)(next_random(state) >> 11) * 0x1p-53 * (double)n);
}

/* ---- what fitting makes and drawing reads ------------------------------------------------------------------------ */

typedef struct { /* a node of a boosted tree; a leaf has feature -1 and a value */
    int32_t feature;
    int32_t kid;   /* left child; the right one follows it */
    float value;   /* of a leaf */
    uint16_t cut;  /* ordered: right if code > cut; else the index of its mask among those of the code-tree node */
    uint16_t by_mask;
} Node;

typedef struct { uint64_t bit[4]; } Mask; /* the codes that go right; codes from 255 on share the last bit */

typedef struct { int32_t feature; float weight; } Weight; /* a term of a question's linear part */

/* A row's logits at the questions above are features too, ordered like any other, numbered after the parts: one for each
 * of the first depths of a code tree. What decides between the halves of a column tells much of its quarters. */
#define DEPTHS 8
#define LOGITS 129 /* codes of a logit: 16 to a unit, from -4 to 4; finer ones would differ between boosters by chance */

static inline uint16_t logit_code(float logit) {
    return (uint16_t)(((logit > -4 ? logit < 4 ? logit : 4 : -4) + 4) * 16 + .5f); /* NaN, too, has a code */
}

static inline float logit_of_code(uint16_t code) { return (float)code / 16 - 4; }

typedef struct { char *data; int64_t used, room; } Pile;

static inline void *add(Pile *p, const void *item, size_t size) {
    if (p->used == p->room) {
        int64_t room = p->room ? 2 * p->room : 256;
        char *data = realloc(p->data, (size_t)room * size);
        if (!data) return 0;
        p->data = data; p->room = room;
    }
    return memcpy(p->data + (size_t)p->used++ * size, item, size);
}

#endif
