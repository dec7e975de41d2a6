/* The sum of a question's trees for many rows at once.
 *
 * A tree is folded from its leaves to its root: a test picks, in every row, the value of its left or its right subtree,
 * sixteen rows to an instruction and without a branch. Values are whole multiples of the part's unit. An ordered test
 * compares codes; a test by mask looks whether the row's level, one bit in words of 15, is among the mask's. */
#include "score.h"

#define WORD 15 /* the sign's bit stays clear */
#define MOST_LANES 16
#define FEW 4   /* fewer rows go down the trees one by one */

typedef struct {
    int32_t column, bits; /* of codes, or of the first word; where the mask's words begin */
    int32_t to;           /* slot of the left value and of the outcome; the right one is in the next */
    int16_t words, cut, left, right; /* words: 0 for an ordered test; values of kids that are leaves */
    uint8_t left_is_leaf, right_is_leaf, is_root;
} Test;

static int16_t whole(const Model *m, const Node *leaf) {
    return (int16_t)lrintf(leaf->value / m->unit);
}

/* ---- a few rows: down the trees ------------------------------------------------------------------------------------ */

static int32_t tree_value(const Model *m, const Mask *mask, int32_t at, const uint16_t *x) {
    const Node *node = m->node;
    while (node[at].feature >= 0) {
        uint16_t v = x[node[at].feature];
        int right = node[at].by_mask ? (int)(mask[node[at].cut].bit[v >> 6] >> (v & 63) & 1) : v > node[at].cut;
        at = node[at].kid + right;
    }
    return whole(m, node + at);
}

static int32_t sum_of(const Model *m, int32_t id, const uint16_t *x) {
    int32_t sum = 0;
    for (int32_t t = m->first_tree[id]; t < m->first_tree[id + 1]; t++)
        sum += tree_value(m, m->mask + m->first_mask[id], m->root[t], x);
    return sum;
}

/* ---- many rows: making the tests ready ---------------------------------------------------------------------------- */

static int32_t words_of(Scorer *s, int32_t feature) { /* enough for the levels that occur in the rows */
    if (s->words[feature]) return s->words[feature];
    uint16_t most = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        uint16_t v = s->x[i * s->width + feature];
        if (v > most) most = v;
    }
    return s->words[feature] = most / WORD + 1;
}

static int32_t column_of(Scorer *s, int32_t feature, int32_t words) {
    int32_t *column = (words ? s->word : s->code) + feature;
    if (*column < 0) {
        *column = s->columns;
        s->used[s->columns++] = words ? ~feature : feature;
        for (int32_t k = 1; k < words; k++) s->used[s->columns++] = -1;
    }
    return *column;
}

static int add_bits(Scorer *s, const Mask *mask, int32_t words) {
    for (int32_t word = 0; word < words; word++) {
        int16_t bits = 0;
        for (int32_t k = 0, v = word * WORD; k < WORD && v < 256; k++, v++)
            bits |= (int16_t)((mask->bit[v >> 6] >> (v & 63) & 1) << k);
        if (!add(&s->bits, &bits, sizeof bits)) return 1;
    }
    return 0;
}

static int add_tests(Scorer *s, int32_t at, int32_t slot) { /* of a subtree, kids first; 1 without memory */
    const Model *m = s->m;
    const Node *node = m->node + at, *left = m->node + node->kid, *right = left + 1;
    Test test = {.to = slot, .left_is_leaf = left->feature < 0, .right_is_leaf = right->feature < 0};
    if (test.left_is_leaf) test.left = whole(m, left);
    else if (add_tests(s, node->kid, slot)) return 1;
    if (test.right_is_leaf) test.right = whole(m, right);
    else if (add_tests(s, node->kid + 1, slot + !test.left_is_leaf)) return 1;
    if (s->slots <= slot + 1) s->slots = slot + 2;
    if (node->by_mask) {
        test.words = (int16_t)words_of(s, node->feature);
        test.bits = (int32_t)s->bits.used;
        if (add_bits(s, m->mask + m->first_mask[s->id] + node->cut, test.words)) return 1;
    } else {
        test.cut = (int16_t)(node->cut ^ 0x8000);
    }
    test.column = column_of(s, node->feature, test.words);
    return !add(&s->tests, &test, sizeof test);
}

static int make_ready(Scorer *s, int32_t id) { /* 1 without memory */
    for (int32_t k = 0; k < s->width; k++) s->code[k] = s->word[k] = -1;
    s->tests.used = s->bits.used = s->columns = s->alone = 0;
    s->slots = 1;
    for (int32_t t = s->m->first_tree[id]; t < s->m->first_tree[id + 1]; t++) {
        const Node *root = s->m->node + s->m->root[t];
        if (root->feature < 0) { s->alone += whole(s->m, root); continue; }
        if (add_tests(s, s->m->root[t], 0)) return 1;
        ((Test *)s->tests.data)[s->tests.used - 1].is_root = 1;
    }
    int64_t room = s->columns + 1 + s->slots;
    if (s->room < room) {
        int16_t *cells = realloc(s->cells, (size_t)room * BLOCK * sizeof *cells);
        if (!cells) return 1;
        s->cells = cells; s->room = room;
    }
    return 0;
}

/* ---- many rows: folding the trees -------------------------------------------------------------------------------- */

static void gather(Scorer *s, const int32_t *row, int32_t n, int32_t padded) {
    for (int32_t k = 0; k < s->columns; k++) {
        int16_t *to = s->cells + (int64_t)k * BLOCK;
        int32_t feature = s->used[k] < 0 ? ~s->used[k] : s->used[k];
        const uint16_t *x = s->x + feature;
        if (s->used[k] >= 0) {
            for (int32_t i = 0; i < n; i++) to[i] = (int16_t)(x[(int64_t)row[i] * s->width] ^ 0x8000);
            for (int32_t i = n; i < padded; i++) to[i] = 0;
            continue;
        }
        int32_t words = s->words[feature];
        memset(to, 0, (size_t)words * BLOCK * sizeof *to);
        for (int32_t i = 0; i < n; i++) {
            uint32_t v = x[(int64_t)row[i] * s->width], word = v / WORD;
            to[word * BLOCK + i] = (int16_t)(1 << (v - word * WORD));
        }
        k += words - 1;
    }
}

#define BYTES 16
#define FOLD fold_anywhere
#define FOR
#include "fold.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define BYTES 32
#define FOLD fold_wide
#define FOR __attribute__((target("avx2")))
#include "fold.h"

static int has_avx2(void) { /* the processor has it, the system keeps its registers, and nobody forbids it */
    unsigned a, b, c, d, low, high;
    if (getenv("VERISYN_NARROW")) return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c >> 27 & 3) != 3) return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 5 & 1);
}
#else
static int has_avx2(void) { return 0; }
#define fold_wide fold_anywhere
#endif

/* ---- both -------------------------------------------------------------------------------------------------------------- */

int open_scorer(Scorer *s, const Model *m, uint16_t *x, int32_t width, int64_t rows) {
    *s = (Scorer){.m = m, .x = x, .width = width, .rows = rows, .id = -1, .wide = has_avx2()};
    size_t columns = 256 / WORD + 2; /* at most, of one feature */
    s->code = calloc((3 + columns) * ((size_t)width + 1), sizeof *s->code);
    if (!s->code) return 1;
    s->word = s->code + width;
    s->words = s->word + width;
    s->used = s->words + width;
    return 0;
}

void close_scorer(Scorer *s) {
    free(s->code); free(s->cells); free(s->tests.data); free(s->bits.data);
}

/* Start from the base rate and add the linear part. */
static void start_from_linear(const Scorer *s, int32_t id, const int32_t *row, int32_t n, float *logit) {
    const Model *m = s->m;
    for (int32_t i = 0; i < n; i++) logit[i] = m->base[id];
    for (int32_t k = m->first_weight[id]; k < m->first_weight[id + 1]; k++) {
        const Weight term = m->weight[k];
        const uint16_t *x = s->x + term.feature;
        if (term.feature >= m->parts) {
            for (int32_t i = 0; i < n; i++) logit[i] += term.weight * logit_of_code(x[(int64_t)row[i] * s->width]);
            continue;
        }
        const float *score = m->score + m->score_at[term.feature];
        for (int32_t i = 0; i < n; i++) logit[i] += term.weight * score[x[(int64_t)row[i] * s->width]];
    }
}

int logits_of(Scorer *s, int32_t id, int64_t all, const int32_t *row, int32_t n, float *logit) {
    const Model *m = s->m;
    int32_t sum[BLOCK], even[BLOCK / 2], odd[BLOCK / 2];
    start_from_linear(s, id, row, n, logit);
    if (m->first_tree[id] == m->first_tree[id + 1]) return 0;
    if (all < FEW) {
        for (int32_t i = 0; i < n; i++) sum[i] = sum_of(m, id, s->x + (int64_t)row[i] * s->width);
    } else {
        if (s->id != id) {
            s->id = id;
            if (make_ready(s, id)) return 1;
        }
        int32_t padded = (n + MOST_LANES - 1) / MOST_LANES * MOST_LANES;
        gather(s, row, n, padded);
        for (int32_t i = 0; i < padded / 2; i++) even[i] = odd[i] = s->alone;
        (s->wide ? fold_wide : fold_anywhere)(s, padded, even, odd);
        for (int32_t i = 0; i < n; i++) sum[i] = (i & 1 ? odd : even)[i / 2];
    }
    for (int32_t i = 0; i < n; i++) logit[i] += (float)sum[i] * m->unit;
    return 0;
}
