/* What fitting a part works with. */
#ifndef VERISYN_GROW_H
#define VERISYN_GROW_H
#include "core.h"

#define BINS 256

typedef struct { Pile nodes, roots, masks, weights; } Grown;

typedef struct {
    double rate, l2, level_l2, linear_l2, min_gain;
    int64_t max_rows;
    int32_t folds, rounds, leaves, min_rows, tree_rows, min_leaf, min_side, patience, growth, grow_rows, doubt;
} Settings;

typedef struct { /* how long fitting a part may take */
    const volatile int32_t *stop; /* not 0 once everything shall end */
    double seconds;               /* below 0: no end */
    int32_t cut;                  /* told: questions that were cut short */
} Limits;

typedef struct { /* the training rows as one part sees them */
    int64_t rows;
    int32_t features, parts;
    const uint16_t *values;  /* code of feature f in row i at [f * rows + i] */
    const int32_t *names;    /* which part each feature is */
    const int32_t *sizes;
    const uint8_t *ordered;
    const int32_t *sorted;   /* rows by leaf position of this part's code */
    const int64_t *edges;    /* where the rows of each leaf position begin in `sorted` */
    const float *score;      /* normal scores of the codes of all parts that have some */
    const int64_t *score_at; /* where those of a feature begin, or -1 */
} Data;

typedef float Sums __attribute__((vector_size(16))); /* gradient, hessian, rows, nothing */

typedef struct {
    int32_t start, end, check_start, check_end, node, feature, bin;
    float gain, g, h;
    Mask mask;
    Sums *hist;
} Leaf;

typedef struct { /* of one fit_part call; what is said of rows is of the question's m rows, unless it says otherwise */
    const Settings *s;
    const Data *d;
    Grown *out;
    Limits *limits;
    /* the question */
    int32_t m, zeros, depth; /* rows; those that go left, which come first; questions above it that are features */
    float base;              /* logit of its base rate */
    int32_t *pick;           /* its rows among all */
    uint8_t *fold;
    const uint16_t **column; /* codes of each feature, by row of all */
    int32_t *column_of;      /* the feature that a part is */
    uint16_t *above;         /* codes of the logits, out of fold, at the questions above: by depth, then row of all */
    uint8_t *fold_of;        /* by row of all */
    int64_t masks_before;
    /* its linear part */
    int32_t terms, *term;    /* how many, and which feature each is */
    int32_t straight;        /* whether it has one */
    float *z;                /* standardised scores (m, terms) */
    double *mean, *scale;    /* of the scores */
    double *weight;          /* (folds + 1, terms + 1): of each fold left out, the intercept first; then their mean */
    double *normal;          /* scratch of the normal equations */
    /* its trees */
    int32_t active, total, most; /* features that vary, bins of all of them, most leaves */
    float least_gain;
    int32_t *index, *spare, *use, *offset;
    uint16_t *low, *high;    /* smallest and largest code of each bin */
    uint8_t *bins, *raw_bin;
    float *logit, *kept, *unseen, *spare_logit; /* now; at the booster's best round; out of fold; scratch */
    Sums *step, *hist;
    Leaf *leaves;
    uint32_t *count;
    double loss;             /* of the last booster on the fold left out */
    /* the time */
    double end, begin, share, work; /* of the part; of the question; rows of all questions still to be fitted */
    int32_t late, cut;       /* this booster, this question */
} Work;

static inline int is_ordered(const Work *w, int32_t f) { return f >= w->d->features || w->d->ordered[f]; }

static inline int32_t name_of(const Work *w, int32_t f) {
    return f < w->d->features ? w->d->names[f] : w->d->parts + f - w->d->features;
}

typedef struct { int64_t nodes, roots, masks; } Mark;

static inline Mark mark(const Work *w) { return (Mark){w->out->nodes.used, w->out->roots.used, w->out->masks.used}; }

static inline void back_to(Work *w, Mark at) {
    w->out->nodes.used = at.nodes; w->out->roots.used = at.roots; w->out->masks.used = at.masks;
}

double seconds_now(void);

/* Fit the linear part of a question for each fold left out; w->straight tells whether the folds left out prefer it. */
void fit_linear(Work *w);
/* Keep the mean of its weights; adds to `base`. Returns 1 without memory. */
int store_linear(Work *w, float *base);
/* What it adds to a row's logit: of the weights that did not see its fold, or of given ones. */
float linear(const Work *w, const double *weight, int32_t row);

/* Cut the features of the question's rows into bins. */
void bin_features(Work *w);
/* Boost on all folds but `fold`, and keep the trees up to where the loss on that one is least (w->loss).
 * Returns by how much it fell, or -1 without memory. */
double boost(Work *w, int32_t fold);

#endif
