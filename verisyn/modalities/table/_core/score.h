/* Logits of many rows at one question. */
#ifndef VERISYN_SCORE_H
#define VERISYN_SCORE_H
#include "core.h"

#define BLOCK 256 /* rows whose trees are evaluated together */

typedef struct { /* one part of a fitted model; numbers of nodes, trees and masks are its own */
    int32_t nodes, size, parts;
    float unit; /* leaf values are summed as whole multiples of it, so that a sum does not depend on its order */
    const int32_t *left, *right, *first_tree, *first_mask, *first_weight, *root;
    const float *base;
    float *shift;            /* added to a question's logit when it decides; those below are told without it */
    const Node *node;
    const Mask *mask;
    const Weight *weight;
    const float *score;      /* normal scores of the codes of all parts that have some */
    const int64_t *score_at; /* where those of a part begin, or -1 */
} Model;

typedef struct { /* the trees of one question, made ready for blocks of rows */
    const Model *m;
    uint16_t *x; /* features of all rows, (rows, width): codes of the parts, then of the logits above */
    int32_t width, id, wide; /* the question made ready; whether vectors are wide */
    int64_t rows;
    int32_t *code, *word, *words; /* by feature: column of its codes, of its first word (-1: none); words it needs */
    int32_t *used;                /* features by column; ~feature where its words begin */
    int32_t columns, slots, alone; /* slots: for values of subtrees; alone: sum of trees that are a leaf */
    Pile tests, bits;
    int16_t *cells;               /* columns, then a column for a mask's outcome, then slots */
    int64_t room;
} Scorer;

int open_scorer(Scorer *s, const Model *m, uint16_t *x, int32_t width, int64_t rows); /* 1 without memory */
void close_scorer(Scorer *s);

/* The logits of n <= BLOCK of the rows at question `id`, of `all` rows that will be asked for; 1 without memory. */
int logits_of(Scorer *s, int32_t id, int64_t all, const int32_t *row, int32_t n, float *logit);

#endif
