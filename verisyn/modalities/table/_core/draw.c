/* Drawing codes from a fitted part, and reading the probability of given ones. */
#include "core.h"

#define BLOCK 64 /* rows that go down a code tree together */

/* ---- drawing and reading a part ------------------------------------------------------------------------------------ */

typedef struct { /* one part of a fitted model; numbers of nodes, trees and masks are its own */
    int32_t nodes, size;
    const int32_t *left, *right, *first_tree, *first_mask, *root;
    const float *base;
    const Node *node;
    const Mask *mask;
} Model;

static float tree_value(const Node *node, const Mask *mask, int32_t at, const uint16_t *x) {
    while (node[at].feature >= 0) {
        uint16_t v = x[node[at].feature];
        int right = node[at].by_mask ? (int)(mask[node[at].cut].bit[v >> 6] >> (v & 63) & 1) : v > node[at].cut;
        at = node[at].kid + right;
    }
    return node[at].value;
}

static float logit_of(const Model *m, int32_t id, const uint16_t *x) {
    float sum = m->base[id];
    for (int32_t t = m->first_tree[id]; t < m->first_tree[id + 1]; t++)
        sum += tree_value(m->node, m->mask + m->first_mask[id], m->root[t], x);
    return sum;
}

/* Many rows at one node ask every question of a tree at once, eight rows to an instruction, and never branch. Each
 * node of a tree is a test; going right crosses out the leaves on its left; the first leaf that is left is the row's
 * (QuickScorer: Lucchese et al. 2015). Leaves are bits of 16-bit words. */
typedef uint16_t Lanes __attribute__((vector_size(16), aligned(2), may_alias));
#define LANES 8

typedef struct { int32_t column, word; uint16_t cut, by_mask, keep; } Test; /* keep: the leaves it never crosses out */

typedef struct { /* the trees of one node, made ready for a block of rows; scratch of one walk */
    const Model *m;
    const Mask *mask;
    int32_t *used, *local, columns, words; /* features asked for; the column of each feature, or -1 */
    Pile tests, values, ends;              /* leaf values of each tree, and where they and its tests end */
    uint16_t *x, *left;                    /* features by column; leaves not crossed out, by word */
    int64_t room;
} Flat;

typedef struct { int32_t test, value; } End;

static int add_tests(Flat *f, const Node *node, int32_t leaf, int32_t end) { /* crosses out leaves from `leaf` to `end` */
    int32_t *column = f->local + node->feature;
    if (*column < 0) { *column = f->columns; f->used[f->columns++] = node->feature; }
    for (int32_t word = leaf / 16; word * 16 < end; word++) {
        int32_t from = leaf > word * 16 ? leaf - word * 16 : 0, to = end - word * 16 < 16 ? end - word * 16 : 16;
        Test test = {*column, word, node->cut, node->by_mask, (uint16_t)~((1u << to) - (1u << from))};
        if (!add(&f->tests, &test, sizeof test)) return 1;
    }
    return 0;
}

static int32_t flatten(Flat *f, int32_t at, int32_t leaf) { /* returns one past the last leaf below, or -1: no memory */
    const Node *node = f->m->node + at;
    if (node->feature < 0) return add(&f->values, &node->value, sizeof node->value) ? leaf + 1 : -1;
    int32_t end = flatten(f, node->kid, leaf);
    if (end < 0 || add_tests(f, node, leaf, end)) return -1;
    return flatten(f, node->kid + 1, end);
}

static int start(Flat *f, int32_t width) { /* returns 1 without memory */
    f->used = malloc(2 * ((size_t)width + 1) * sizeof *f->used);
    if (!f->used) return 1;
    f->local = f->used + width;
    for (int32_t k = 0; k < width; k++) f->local[k] = -1;
    return 0;
}

static int make_ready(Flat *f, int32_t id) { /* returns 1 without memory */
    for (int32_t k = 0; k < f->columns; k++) f->local[f->used[k]] = -1;
    f->tests.used = f->values.used = f->ends.used = 0;
    f->columns = 0; f->words = 1;
    f->mask = f->m->mask + f->m->first_mask[id];
    for (int32_t t = f->m->first_tree[id]; t < f->m->first_tree[id + 1]; t++) {
        int32_t leaves = flatten(f, f->m->root[t], 0);
        End end = {(int32_t)f->tests.used, (int32_t)f->values.used};
        if (leaves < 0 || !add(&f->ends, &end, sizeof end)) return 1;
        if (f->words < (leaves + 15) / 16) f->words = (leaves + 15) / 16;
    }
    if (f->room < f->words + f->columns) {
        f->room = f->words + f->columns;
        uint16_t *x = realloc(f->x, (size_t)f->room * BLOCK * sizeof *x);
        if (!x) return 1;
        f->x = x;
    }
    f->left = f->x + (int64_t)f->columns * BLOCK;
    return 0;
}

static void cross_out(Flat *f, const Test *test, int32_t n) {
    uint16_t side[BLOCK], *x = f->x + (int64_t)test->column * BLOCK, cut = test->cut;
    if (test->by_mask) {
        const uint64_t *bit = f->mask[cut].bit;
        for (int32_t i = 0; i < n; i++) side[i] = (uint16_t)(bit[x[i] >> 6] >> (x[i] & 63) & 1);
        x = side; cut = 0;
    }
    Lanes *left = (Lanes *)(f->left + (int64_t)test->word * BLOCK);
    const Lanes cuts = (Lanes){0} + cut, keep = (Lanes){0} + test->keep;
    for (int32_t i = 0; i < n / LANES; i++) left[i] &= (Lanes)(((Lanes *)x)[i] <= cuts) | keep;
}

/* Logits of up to BLOCK rows, added up in the order of logit_of. */
static void logits_of(Flat *f, int32_t id, const uint16_t *x, int32_t width, const int32_t *rows, int32_t n,
                      float *sum) {
    const Test *test = (Test *)f->tests.data;
    const float *value = (float *)f->values.data;
    int32_t whole = (n + LANES - 1) / LANES * LANES, done = 0;
    for (int32_t i = 0; i < n; i++) sum[i] = f->m->base[id];
    for (int32_t k = 0; k < f->columns; k++) {
        for (int32_t i = 0; i < n; i++) f->x[k * BLOCK + i] = x[(int64_t)rows[i] * width + f->used[k]];
        for (int32_t i = n; i < whole; i++) f->x[k * BLOCK + i] = 0;
    }
    for (int64_t t = 0; t < f->ends.used; t++) {
        End end = ((End *)f->ends.data)[t];
        memset(f->left, 0xff, (size_t)f->words * BLOCK * sizeof *f->left);
        for (; done < end.test; done++) cross_out(f, test + done, whole);
        for (int32_t i = 0; i < n; i++) {
            const uint16_t *word = f->left + i;
            int32_t leaf = 0;
            for (; !*word; word += BLOCK) leaf += 16;
            sum[i] += value[leaf + __builtin_ctz(*word)];
        }
        value = (float *)f->values.data + end.value;
    }
}

typedef struct { int32_t id; int64_t from, to; } Span;

/* Rows go down the code tree together. With `u` (uniform, used up as they go) codes are drawn; without it the given
 * codes are followed, by their leaf `position` and the nodes' `mid`, and log p is added up. Returns 1 without memory. */
API int walk(const Model *m, const uint16_t *x, int32_t width, int64_t rows, double *u, int32_t *code,
             const int32_t *position, const int32_t *mid, double *log_prob) {
    int32_t *row = malloc((size_t)(rows + 1) * 2 * sizeof *row), *spare = row ? row + rows : 0;
    Span *todo = malloc((size_t)(m->nodes + 2) * sizeof *todo);
    if (!row || !todo) { free(row); free(todo); return 1; }
    int64_t waiting = 0;
    float logit[BLOCK];
    Flat f = {.m = m};
    int failed = start(&f, width);
    for (int64_t i = 0; i < rows; i++) row[i] = (int32_t)i;
    todo[waiting++] = (Span){m->nodes ? 0 : ~0, 0, rows};
    while (waiting && !failed) {
        Span at = todo[--waiting];
        if (at.from == at.to) continue;
        if (at.id < 0) {
            if (u) for (int64_t i = at.from; i < at.to; i++) code[row[i]] = ~at.id;
            continue;
        }
        int64_t left = at.from, right = 0;
        int few = at.to - at.from < LANES;
        if (!few && make_ready(&f, at.id)) { failed = 1; break; }
        for (int64_t from = at.from; from < at.to; from += BLOCK) {
            int32_t n = (int32_t)(at.to - from < BLOCK ? at.to - from : BLOCK);
            if (few) for (int32_t i = 0; i < n; i++) logit[i] = logit_of(m, at.id, x + (int64_t)row[from + i] * width);
            else logits_of(&f, at.id, x, width, row + from, n, logit);
            for (int32_t i = 0; i < n; i++) {
                int32_t r = row[from + i];
                double p = right_share(logit[i]), q = 1 - p;
                int go;
                if (u) {
                    go = u[r] >= q;
                    u[r] = go ? (u[r] - q) / p : u[r] / q;
                } else {
                    go = position[code[r]] >= mid[at.id];
                    log_prob[r] += log(go ? p : q);
                }
                if (go) spare[right++] = r; else row[left++] = r;
            }
        }
        memcpy(row + left, spare, (size_t)right * sizeof *row);
        todo[waiting++] = (Span){m->right[at.id], left, at.to};
        todo[waiting++] = (Span){m->left[at.id], at.from, left};
    }
    free(row); free(todo); free(f.used); free(f.x); free(f.tests.data); free(f.values.data); free(f.ends.data);
    return failed;
}

static double mass_of(const Model *m, int32_t id, const uint16_t *x, const uint8_t *allowed, const uint8_t *held,
                      double *mass, double *share) {
    if (id < 0) return allowed[~id];
    if (held[id] != 1) return held[id] / 2; /* none, or all */
    double p = right_share(logit_of(m, id, x));
    double left = mass_of(m, m->left[id], x, allowed, held, mass, share);
    share[id] = p * mass_of(m, m->right[id], x, allowed, held, mass, share);
    return mass[id] = share[id] + (1 - p) * left;
}

static uint8_t held_of(const Model *m, int32_t id, const uint8_t *allowed, uint8_t *held) {
    if (id < 0) return (uint8_t)(2 * allowed[~id]);
    uint8_t left = held_of(m, m->left[id], allowed, held), right = held_of(m, m->right[id], allowed, held);
    return held[id] = left == right ? left : 1;
}

/* Draw only allowed codes; adds the log of their mass. Only nodes with allowed and other codes below are weighed.
 * At least one code must be allowed. Returns 1 without memory. */
API int walk_within(const Model *m, const uint16_t *x, int32_t width, int64_t rows, const uint8_t *allowed,
                    const double *u, int32_t *code, double *log_mass) {
    uint8_t *held = calloc((size_t)m->nodes + 1, 1);
    double *mass = malloc(2 * ((size_t)m->nodes + 1) * sizeof *mass), *share = mass ? mass + m->nodes : 0;
    if (!held || !mass) { free(held); free(mass); return 1; }
    int32_t root = m->nodes ? 0 : ~0;
    held_of(m, root, allowed, held);
    for (int64_t i = 0; i < rows; i++) {
        const uint16_t *at = x + i * width;
        double v = u[i];
        int32_t id = root;
        log_mass[i] += log(mass_of(m, root, at, allowed, held, mass, share));
        while (id >= 0) {
            double p = held[id] == 1 ? share[id] / mass[id] : right_share(logit_of(m, id, at)), q = 1 - p;
            int go = q <= 0 || (p > 0 && v >= q);
            v = go ? (v - q) / p : v / q;
            id = go ? m->right[id] : m->left[id];
        }
        code[i] = ~id;
    }
    free(held); free(mass);
    return 0;
}
