/* Fitting a part: every question of its code tree, parents first. */
#include "grow.h"

#define FAINT 20.7f /* the logit of a side no row took: about 1e-9 */
#define MARGIN 2    /* nats by which trees alone must beat trees upon a linear part */

typedef struct {
    const int32_t *left, *right, *mid;
    float *base;
    int32_t *first_tree, *first_mask, *first_weight;
    uint64_t seed;
} Plan;

API void free_grown(Grown *g) {
    free(g->nodes.data); free(g->roots.data); free(g->masks.data); free(g->weights.data);
}

/* Choose at most max_rows of the node's rows, in order, and look up their folds. */
static void choose_rows(Work *w, int64_t from, int64_t mid, int64_t to, uint64_t seed) {
    int64_t left = to - from, need = left < w->s->max_rows ? left : w->s->max_rows;
    int32_t n = 0, zeros = 0;
    for (int64_t i = from; i < to && need; i++, left--) {
        if (need < left && random_below(&seed, left) >= need) continue;
        w->pick[n++] = w->d->sorted[i];
        zeros += i < mid;
        need--;
    }
    w->m = n; w->zeros = zeros;
    for (int32_t i = 0; i < n; i++) w->fold[i] = w->fold_of[w->pick[i]];
}

/* Deal all rows to folds in the order of their codes, so that every question finds its folds balanced. */
static void deal_folds(Work *w, uint64_t seed) {
    uint8_t order[256];
    for (int64_t i = 0; i < w->d->rows; i += w->s->folds) {
        for (int32_t k = 0; k < w->s->folds; k++) {
            int32_t j = (int32_t)random_below(&seed, k + 1);
            order[k] = order[j]; order[j] = (uint8_t)k;
        }
        for (int32_t k = 0; k < w->s->folds && i + k < w->d->rows; k++) w->fold_of[w->d->sorted[i + k]] = order[k];
    }
}

/* Give a question its share of the time that is left, by its rows. */
static void begin_question(Work *w) {
    w->cut = 0;
    if (w->limits->seconds < 0) return;
    w->begin = seconds_now();
    w->share = (w->end - w->begin) * w->m / w->work;
    w->work -= w->m;
}

/* ---- how a question is boosted ------------------------------------------------------------------------------------ */

static void note_unseen(Work *w, int32_t fold) { /* the logits of the last booster, on the fold left out */
    for (int32_t i = 0; i < w->m; i++) if (w->fold[i] == fold) w->unseen[i] = w->kept[i];
}

static void drop_between(Work *w, Mark from, Mark to) { /* the trees of a booster that a later one has beaten */
    Grown *out = w->out;
    int32_t nodes = (int32_t)(to.nodes - from.nodes), masks = (int32_t)(to.masks - from.masks);
    Node *node = (Node *)out->nodes.data + from.nodes;
    int32_t *root = (int32_t *)out->roots.data + from.roots;
    Mask *mask = (Mask *)out->masks.data + from.masks;
    out->nodes.used -= nodes; out->roots.used -= to.roots - from.roots; out->masks.used -= masks;
    memmove(node, node + nodes, (size_t)(out->nodes.used - from.nodes) * sizeof *node);
    memmove(root, root + (to.roots - from.roots), (size_t)(out->roots.used - from.roots) * sizeof *root);
    if (masks) memmove(mask, mask + masks, (size_t)(out->masks.used - from.masks) * sizeof *mask);
    for (int64_t k = 0; k < out->nodes.used - from.nodes; k++) {
        if (node[k].feature < 0) continue;
        node[k].kid -= nodes;
        if (node[k].by_mask) node[k].cut = (uint16_t)(node[k].cut - masks);
    }
    for (int64_t k = 0; k < out->roots.used - from.roots; k++) root[k] -= nodes;
}

/* Boost the first fold; where a question has rows enough, also with trees 4, 16, ... times as large and with smaller
 * gains, as long as it clearly gains from it. Leaves the best booster's trees, its size in w->most and its loss in
 * w->loss; returns -1 without memory. */
static double boost_first(Work *w) {
    Mark start = mark(w);
    w->most = w->s->leaves; w->least_gain = (float)w->s->min_gain;
    double gain = boost(w, 0), loss = w->loss;
    note_unseen(w, 0);
    while (gain >= 0 && !w->late && w->m >= w->s->grow_rows && 4 * w->most <= w->s->growth * w->s->leaves) {
        Mark now = mark(w);
        int32_t most = w->most;
        float least_gain = w->least_gain;
        w->most *= 4; w->least_gain = 0;
        double more = boost(w, 0);
        if (more < 0) return -1;
        if (more < 1.05 * gain + 2) { back_to(w, now); w->most = most; w->least_gain = least_gain; break; }
        drop_between(w, start, now);
        note_unseen(w, 0);
        gain = more; loss = w->loss;
    }
    w->loss = loss;
    return gain < 0 ? -1 : gain;
}

/* A part of few questions doubts its linear part: trees alone may do better. Returns 1 without memory. */
static int boost_first_alone(Work *w, Mark start) {
    Mark now = mark(w);
    int32_t most = w->most;
    float least_gain = w->least_gain;
    double with = w->loss;
    memcpy(w->spare_logit, w->unseen, (size_t)w->m * sizeof *w->unseen);
    w->straight = 0;
    if (boost_first(w) < 0) return 1;
    if (w->loss < with - MARGIN) { drop_between(w, start, now); return 0; }
    back_to(w, now);
    memcpy(w->unseen, w->spare_logit, (size_t)w->m * sizeof *w->unseen);
    w->straight = 1; w->most = most; w->least_gain = least_gain;
    return 0;
}

/* Boost every fold. Returns 1 without memory. */
static int boost_folds(Work *w) {
    Mark start = mark(w);
    if (boost_first(w) < 0) return 1;
    if (w->s->doubt && w->straight && w->m >= w->s->grow_rows && !w->late && boost_first_alone(w, start)) return 1;
    for (int32_t fold = 1; fold < w->s->folds; fold++) {
        if (boost(w, fold) < 0) return 1;
        note_unseen(w, fold);
    }
    return 0;
}

/* ---- what a question tells those below ----------------------------------------------------------------------------- */

static float value_of_tree(const Work *w, int32_t at, int32_t row) { /* for any row */
    const Node *node = (const Node *)w->out->nodes.data;
    const Mask *mask = (const Mask *)w->out->masks.data + w->masks_before;
    while (node[at].feature >= 0) {
        uint16_t v = w->column[w->column_of[node[at].feature]][row];
        int right = node[at].by_mask ? (int)(mask[node[at].cut].bit[v >> 6] >> (v & 63) & 1) : v > node[at].cut;
        at = node[at].kid + right;
    }
    return node[at].value;
}

/* The fitted question's logit; its trees are the last ones. */
static float logit_of_row(const Work *w, int32_t row, int64_t first_root) {
    const double *mean = w->weight + w->s->folds * (w->terms + 1);
    double sum = w->base;
    if (w->straight) sum += mean[0];
    for (int32_t k = 0; w->straight && k < w->terms; k++) {
        uint16_t x = w->column[w->term[k]][row];
        float score = w->term[k] < w->d->features ? w->d->score[w->d->score_at[w->term[k]] + x] : logit_of_code(x);
        sum += mean[k + 1] * w->scale[k] * (score - w->mean[k]);
    }
    for (int64_t t = first_root; t < w->out->roots.used; t++) sum += value_of_tree(w, ((int32_t *)w->out->roots.data)[t], row);
    return (float)sum;
}

/* Write the logits, out of fold, of the question's rows; of those that were not chosen, the fitted question's own. */
static void tell_below(Work *w, int32_t depth, int64_t from, int64_t to, int64_t first_root) {
    uint16_t *above = w->above + (int64_t)depth * w->d->rows;
    for (int64_t i = from, k = 0; i < to; i++) {
        int32_t row = w->d->sorted[i];
        if (k < w->m && w->pick[k] == row) above[row] = logit_code(w->unseen[k++]);
        else above[row] = logit_code(logit_of_row(w, row, first_root));
    }
}

/* ---- every question ------------------------------------------------------------------------------------------------- */

static int is_worth_it(const Work *w, int64_t zeros, int64_t ones) {
    return zeros + ones >= w->s->min_rows && (zeros < ones ? zeros : ones) >= w->s->min_side;
}

static double work_below(const Work *w, const Plan *plan, int32_t id, int32_t lo, int32_t hi) { /* rows to be boosted */
    if (id < 0) return 0;
    int32_t middle = plan->mid[id];
    int64_t from = w->d->edges[lo], mid = w->d->edges[middle], to = w->d->edges[hi];
    double own = !is_worth_it(w, mid - from, to - mid) ? 0 : (double)(to - from < w->s->max_rows ? to - from : w->s->max_rows);
    return own + work_below(w, plan, plan->left[id], lo, middle) + work_below(w, plan, plan->right[id], middle, hi);
}

static float base_of(int64_t zeros, int64_t ones, double codes_left, double codes_right) {
    if (zeros + ones == 0) return (float)log(codes_right / codes_left);
    if (ones == 0) return -FAINT;
    if (zeros == 0) return FAINT;
    return (float)log(((double)ones + .5) / ((double)zeros + .5));
}

static int fit_question(Work *w, float *base) { /* 1 without memory */
    bin_features(w);
    w->straight = 0;
    for (int32_t i = 0; i < w->m; i++) w->unseen[i] = w->base;
    begin_question(w);
    if (!w->active) return 0;
    fit_linear(w);
    if (w->m >= w->s->tree_rows) {
        if (boost_folds(w)) return 1;
    } else if (w->straight) {
        for (int32_t i = 0; i < w->m; i++) w->unseen[i] = w->base + linear(w, w->weight + w->fold[i] * (w->terms + 1), i);
    }
    w->limits->cut += w->cut;
    return w->straight && store_linear(w, base);
}

static int fit_node(Work *w, const Plan *plan, int32_t id, int32_t lo, int32_t hi, int32_t depth) {
    if (id < 0) return 0;
    int32_t middle = plan->mid[id];
    int64_t from = w->d->edges[lo], mid = w->d->edges[middle], to = w->d->edges[hi];
    int64_t first_root = plan->first_tree[id] = (int32_t)w->out->roots.used;
    plan->first_mask[id] = (int32_t)w->out->masks.used;
    plan->first_weight[id] = (int32_t)w->out->weights.used;
    w->base = plan->base[id] = base_of(mid - from, to - mid, middle - lo, hi - middle);
    w->m = w->straight = 0;
    if (is_worth_it(w, mid - from, to - mid)) {
        choose_rows(w, from, mid, to, plan->seed + (uint64_t)id * 0xd1342543de82ef95u);
        w->masks_before = w->out->masks.used;
        w->depth = depth < DEPTHS ? depth : DEPTHS;
        if (fit_question(w, plan->base + id)) return 1;
    }
    if (depth < DEPTHS) tell_below(w, depth, from, to, first_root);
    return fit_node(w, plan, plan->left[id], lo, middle, depth + 1) || fit_node(w, plan, plan->right[id], middle, hi, depth + 1);
}

/* ---- scratch ---------------------------------------------------------------------------------------------------------- */

typedef struct { void *at; size_t bytes; } Want;

/* One block of memory for all of a part's scratch; 0 without memory. */
static void *make_room(const Want *want, int32_t n) {
    size_t sum = 0;
    for (int32_t k = 0; k < n; k++) sum += (want[k].bytes + 63) / 64 * 64;
    char *room = malloc(sum + 64), *at = room ? room + (64 - (uintptr_t)room % 64) : 0;
    for (int32_t k = 0; room && k < n; k++) {
        memcpy(want[k].at, &at, sizeof at);
        at += (want[k].bytes + 63) / 64 * 64;
    }
    return room;
}

static void *make_scratch(Work *w) {
    const Settings *s = w->s;
    size_t rows = (size_t)w->d->rows + 1, m = rows - 1 < (size_t)s->max_rows ? rows : (size_t)s->max_rows + 1;
    size_t f = (size_t)w->d->features + DEPTHS + 1, most = (size_t)(s->growth * s->leaves);
#define WANT(field, count) {&w->field, (count) * sizeof *w->field}
    const Want want[] = {
        WANT(pick, m), WANT(fold, m), WANT(column, f), WANT(column_of, (size_t)w->d->parts + DEPTHS),
        WANT(above, rows * DEPTHS), WANT(fold_of, rows), WANT(term, f), WANT(z, m * f), WANT(mean, f), WANT(scale, f),
        WANT(weight, (size_t)(s->folds + 1) * (f + 1)), WANT(normal, (f + 1) * (f + 2)), WANT(index, m), WANT(spare, m),
        WANT(use, f), WANT(offset, f + 1), WANT(low, f * BINS), WANT(high, f * BINS), WANT(bins, m * f),
        WANT(raw_bin, 65536), WANT(logit, m), WANT(kept, m), WANT(unseen, m), WANT(spare_logit, m), WANT(step, m),
        WANT(hist, most * f * BINS), WANT(leaves, most), WANT(count, 65536)};
    void *room = make_room(want, (int32_t)(sizeof want / sizeof *want));
    if (!room) return 0;
    for (int32_t k = 0; k < w->d->features + DEPTHS; k++) {
        w->column[k] = k < w->d->features ? w->d->values + (int64_t)k * w->d->rows
                                          : w->above + (int64_t)(k - w->d->features) * w->d->rows;
        w->column_of[name_of(w, k)] = k;
    }
    return room;
}

/* Fit every question of a part's code tree; each `first_` has one entry more than there are questions.
 * Returns 0, or 1 without memory. The caller copies `out` and frees it with free_grown. */
API int fit_part(const Settings *s, Limits *limits, const Data *d, int32_t nodes, int32_t size, const int32_t *left,
                 const int32_t *right, const int32_t *mid, uint64_t seed, float *base, int32_t *first_tree,
                 int32_t *first_mask, int32_t *first_weight, Grown *out) {
    Work w = {.s = s, .d = d, .limits = limits, .out = out};
    Plan plan = {left, right, mid, base, first_tree, first_mask, first_weight, seed};
    void *room = make_scratch(&w);
    if (!room) return 1;
    deal_folds(&w, seed);
    w.end = seconds_now() + limits->seconds;
    if (limits->seconds >= 0) w.work = work_below(&w, &plan, nodes ? 0 : -1, 0, size);
    int failed = nodes && fit_node(&w, &plan, 0, 0, size, 0);
    first_tree[nodes] = (int32_t)out->roots.used;
    first_mask[nodes] = (int32_t)out->masks.used;
    first_weight[nodes] = (int32_t)out->weights.used;
    free(room);
    return failed;
}
