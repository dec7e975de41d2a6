/* Fitting: each question of a code tree is boosted on the parts before it. */
#include "core.h"

#define BINS 256
#define FAINT 20.7f /* the logit of a side no row took: about 1e-9 */

typedef struct { Pile nodes, roots, masks; } Grown;

API void free_grown(Grown *g) { free(g->nodes.data); free(g->roots.data); free(g->masks.data); }

typedef struct {
    double rate, l2, level_l2, min_gain;
    int64_t max_rows;
    int32_t folds, seen, rounds, leaves, min_rows, min_leaf, min_side, patience, growth, grow_rows;
} Settings;

typedef struct { /* how long fitting a part may take */
    const volatile int32_t *stop; /* not 0 once everything shall end */
    double seconds;               /* below 0: no end */
    int32_t cut;                  /* told: questions that were cut short */
} Limits;

double seconds_now(void);

typedef struct { /* the training rows as one part sees them */
    int64_t rows;
    int32_t features;
    const uint16_t *values;  /* code of feature f in row i at [f * rows + i] */
    const int32_t *names;    /* which part each feature is */
    const int32_t *sizes;
    const uint8_t *ordered;
    const int32_t *sorted;   /* rows by leaf position of this part's code */
    const int64_t *edges;    /* where the rows of each leaf position begin in `sorted` */
} Data;

/* ---- boosting one question -------------------------------------------------------------------------------------- */

typedef float Sums __attribute__((vector_size(16))); /* gradient, hessian, rows, nothing */

typedef struct {
    int32_t start, end, check_start, check_end, node, feature, bin;
    float gain, g, h;
    Mask mask;
    Sums *hist;
} Leaf;

typedef struct { /* scratch of one fit_part call */
    const Settings *s;
    const Data *d;
    int32_t m, active, total, most; /* rows, features that vary, bins of all of them, most leaves */
    float least_gain;
    int32_t *pick, *index, *spare, *use, *offset, *first_raw;
    uint16_t *low, *high; /* smallest and largest code of each bin */
    uint8_t *bins, *fold, *raw_bin, *right;
    float *logit;
    Sums *step, *hist;
    Leaf *leaves;
    uint32_t *count;
    Grown *out;
    int64_t masks_before;
    Limits *limits;
    double end, begin, share, work; /* of the part; of the question; rows of all questions still to be fitted */
    int32_t late, cut;              /* this booster, this question */
} Work;

/* Whether a booster must end: folds share the time of a question evenly. */
static int is_late(Work *w, int32_t fold) {
    w->late = *w->limits->stop || (w->limits->seconds >= 0
                                   && seconds_now() > w->begin + w->share * (fold + 1) / w->s->folds);
    w->cut |= w->late;
    return w->late;
}

/* Give a question its share of the time that is left, by its rows. */
static void begin_question(Work *w) {
    w->cut = 0;
    if (w->limits->seconds < 0) return;
    w->begin = seconds_now();
    w->share = (w->end - w->begin) * w->m / w->work;
    w->work -= w->m;
}

/* Choose at most max_rows of the node's rows, in order; returns how many of them go left. */
static int32_t choose_rows(Work *w, int64_t from, int64_t mid, int64_t to, uint64_t *seed) {
    int64_t left = to - from, need = left < w->s->max_rows ? left : w->s->max_rows;
    int32_t n = 0, zeros = 0;
    for (int64_t i = from; i < to && need; i++, left--) {
        if (need < left && random_below(seed, left) >= need) continue;
        w->pick[n++] = w->d->sorted[i];
        zeros += i < mid;
        need--;
    }
    w->m = n;
    return zeros;
}

static void deal_folds(Work *w, int32_t from, int32_t to, uint64_t *seed) { /* evenly, within one side */
    for (int32_t i = from; i < to; i++) w->index[i] = i;
    for (int32_t i = to - 1; i > from; i--) {
        int32_t j = from + (int32_t)random_below(seed, i - from + 1), k = w->index[i];
        w->index[i] = w->index[j]; w->index[j] = k;
    }
    for (int32_t i = from; i < to; i++) w->fold[w->index[i]] = (uint8_t)((i - from) % w->s->folds);
}

/* Bin one feature over the node's rows; returns the number of bins. An ordered feature with too many codes is cut at
 * equal steps of the root of its mass, which keeps spikes and tails apart where equal mass would not. */
static int32_t bin_feature(Work *w, int32_t f, int32_t offset, int32_t most) {
    const uint16_t *x = w->d->values + (int64_t)f * w->d->rows;
    int32_t size = w->d->sizes[f], seen = 0, bin = -1, last = -1;
    double sum = 0, at = 0;
    memset(w->count, 0, (size_t)size * sizeof *w->count);
    for (int32_t i = 0; i < w->m; i++) w->count[x[w->pick[i]]]++;
    for (int32_t v = 0; v < size; v++) if (w->count[v]) { seen++; sum += sqrt((double)w->count[v]); }
    for (int32_t v = 0; v < size; v++) {
        if (!w->count[v]) continue;
        double root = sqrt((double)w->count[v]);
        int32_t place = seen <= most || !w->d->ordered[f] ? bin + 1 : (int32_t)((at + root / 2) / sum * most);
        at += root;
        if (place != last) { last = place; w->low[offset + ++bin] = (uint16_t)v; }
        if (seen <= most || !w->d->ordered[f]) last = -1;
        w->high[offset + bin] = (uint16_t)v;
        w->raw_bin[v] = (uint8_t)bin;
    }
    return bin + 1;
}

static void bin_features(Work *w) {
    int32_t most = w->m < 2000 ? 64 : BINS - 1;
    w->active = w->total = 0;
    for (int32_t f = 0; f < w->d->features; f++) {
        int32_t n = bin_feature(w, f, w->total, most);
        if (n < 2) continue;
        w->use[w->active] = f;
        w->offset[w->active++] = w->total;
        w->total += n;
        const uint16_t *x = w->d->values + (int64_t)f * w->d->rows;
        uint8_t *to = w->bins + (int64_t)(w->active - 1) * w->m; /* by feature first, turned below */
        for (int32_t i = 0; i < w->m; i++) to[i] = w->raw_bin[x[w->pick[i]]];
    }
    w->offset[w->active] = w->total;
}

static void fill(const Work *w, Leaf *leaf) {
    memset(leaf->hist, 0, (size_t)w->total * sizeof(Sums));
    for (int32_t f = 0; f < w->active; f += 2) { /* two features at a time; an odd last one is alone */
        const uint8_t *bins = w->bins + (int64_t)f * w->m, *next = bins + w->m;
        Sums *hist = leaf->hist + w->offset[f], *beside = leaf->hist + w->offset[f + 1];
        if (f + 1 == w->active) {
            for (int32_t i = leaf->start; i < leaf->end; i++) hist[bins[w->index[i]]] += w->step[w->index[i]];
            break;
        }
        for (int32_t i = leaf->start; i < leaf->end; i++) {
            int32_t row = w->index[i];
            Sums step = w->step[row];
            hist[bins[row]] += step;
            beside[next[row]] += step;
        }
    }
}

static void try_cuts(const Work *w, Leaf *leaf, int32_t f, const int32_t *order, int32_t n, float l2) {
    const Sums *hist = leaf->hist + w->offset[f];
    float g = 0, h = 0, rows = 0, all = (float)(leaf->end - leaf->start), least = (float)w->s->min_leaf;
    float whole = leaf->g * leaf->g / (leaf->h + l2);
    for (int32_t k = 0; k < n - 1; k++) {
        const Sums at = hist[order ? order[k] : k];
        g += at[0]; h += at[1]; rows += at[2];
        if (rows < least) continue;
        if (all - rows < least) break;
        float gr = leaf->g - g, hl = h + l2, hr = leaf->h - h + l2, top = g * g * hr + gr * gr * hl;
        if (top <= (leaf->gain + whole) * hl * hr || at[2] == 0) continue; /* gain <= leaf->gain, without a division */
        leaf->gain = top / (hl * hr) - whole; leaf->feature = f; leaf->bin = k;
        if (!order) continue;
        memset(&leaf->mask, 0, sizeof leaf->mask);
        for (int32_t r = k + 1; r < n; r++) leaf->mask.bit[order[r] >> 6] |= (uint64_t)1 << (order[r] & 63);
    }
}

static int splittable(const Work *w, const Leaf *leaf) { return leaf->end - leaf->start >= 2 * w->s->min_leaf; }

static void find_split(const Work *w, Leaf *leaf) {
    leaf->gain = w->least_gain;
    leaf->feature = -1;
    if (!splittable(w, leaf)) return;
    for (int32_t f = 0; f < w->active; f++) {
        int32_t bins = w->offset[f + 1] - w->offset[f];
        if (w->d->ordered[w->use[f]] || bins == 2) { try_cuts(w, leaf, f, 0, bins, (float)w->s->l2); continue; }
        int32_t order[BINS], n = 0; /* levels by their mean gradient: the best two-way split is a prefix (Fisher 1958) */
        float key[BINS];
        const Sums *hist = leaf->hist + w->offset[f];
        for (int32_t b = 0; b < bins; b++) {
            if (hist[b][2] == 0) continue;
            float k = hist[b][0] / (hist[b][1] + (float)w->s->level_l2);
            int32_t at = n++;
            for (; at > 0 && key[at - 1] > k; at--) { key[at] = key[at - 1]; order[at] = order[at - 1]; }
            key[at] = k; order[at] = b;
        }
        try_cuts(w, leaf, f, order, n, (float)(w->s->l2 + w->s->level_l2));
    }
}

static int goes_right(const Work *w, const Leaf *leaf, int by_mask, int32_t row) {
    int b = w->bins[(int64_t)leaf->feature * w->m + row];
    return by_mask ? (int)(leaf->mask.bit[b >> 6] >> (b & 63) & 1) : b > leaf->bin;
}

static int32_t part_rows(Work *w, const Leaf *leaf, int by_mask, int32_t start, int32_t end) {
    int32_t left = start, right = 0;
    for (int32_t i = start; i < end; i++) {
        int32_t row = w->index[i];
        if (goes_right(w, leaf, by_mask, row)) w->spare[right++] = row; else w->index[left++] = row;
    }
    memcpy(w->index + left, w->spare, (size_t)right * sizeof *w->index);
    return left;
}

/* Write the split of a leaf as a node on codes. Levels this node never saw follow the larger side. */
static int write_split(Work *w, const Leaf *leaf, int by_mask, int32_t left_rows) {
    int32_t f = w->use[leaf->feature], at = w->offset[leaf->feature];
    Node *node = (Node *)w->out->nodes.data + leaf->node, kids[2] = {{-1, 0, 0, 0, 0}, {-1, 0, 0, 0, 0}};
    node->feature = w->d->names[f];
    node->kid = (int32_t)w->out->nodes.used;
    node->by_mask = (uint16_t)by_mask;
    if (by_mask) {
        Mask mask;
        memset(&mask, 2 * left_rows < leaf->end - leaf->start ? 0xff : 0, sizeof mask);
        for (int32_t b = at; b < w->offset[leaf->feature + 1]; b++) {
            uint64_t bit = (uint64_t)1 << (w->low[b] & 63);
            if (leaf->mask.bit[(b - at) >> 6] >> ((b - at) & 63) & 1) mask.bit[w->low[b] >> 6] |= bit;
            else mask.bit[w->low[b] >> 6] &= ~bit;
        }
        node->cut = (uint16_t)(w->out->masks.used - w->masks_before);
        if (!add(&w->out->masks, &mask, sizeof mask)) return 1;
    } else {
        node->cut = (uint16_t)((w->high[at + leaf->bin] + w->low[at + leaf->bin + 1] - 1) / 2);
    }
    return !add(&w->out->nodes, &kids[0], sizeof(Node)) || !add(&w->out->nodes, &kids[1], sizeof(Node));
}

static void sum_steps(const Work *w, Leaf *leaf) {
    Sums sum = {0, 0, 0, 0};
    for (int32_t i = leaf->start; i < leaf->end; i++) sum += w->step[w->index[i]];
    leaf->g = sum[0]; leaf->h = sum[1];
}

/* Grow one tree on the first `train` rows of the index, best leaf first, and add it to their logits and to those of the
 * rows from `check_from` on; returns its leaves, or -1 without memory. */
static int32_t grow(Work *w, int32_t train, int32_t check_from) {
    Node root = {-1, 0, 0, 0, 0};
    int32_t id = (int32_t)w->out->nodes.used, n = 1;
    if (!add(&w->out->nodes, &root, sizeof root) || !add(&w->out->roots, &id, sizeof id)) return -1;
    w->leaves[0] = (Leaf){.end = train, .check_start = check_from, .check_end = w->m, .node = id, .hist = w->hist};
    sum_steps(w, &w->leaves[0]);
    fill(w, &w->leaves[0]);
    find_split(w, &w->leaves[0]);
    while (n < w->most) {
        Leaf *best = w->leaves;
        for (int32_t k = 1; k < n; k++)
            if (w->leaves[k].feature >= 0 && (best->feature < 0 || w->leaves[k].gain > best->gain)) best = &w->leaves[k];
        if (best->feature < 0) break;
        int by_mask = !w->d->ordered[w->use[best->feature]]
                      && w->offset[best->feature + 1] - w->offset[best->feature] > 2;
        int32_t middle = part_rows(w, best, by_mask, best->start, best->end);
        int32_t check = part_rows(w, best, by_mask, best->check_start, best->check_end);
        int32_t kid = (int32_t)w->out->nodes.used;
        if (write_split(w, best, by_mask, middle - best->start)) return -1;
        Leaf *other = &w->leaves[n], *small = other, *large = best;
        *other = *best;
        other->hist = w->hist + (int64_t)n++ * w->total;
        best->end = other->start = middle;
        best->check_end = other->check_start = check;
        best->node = kid; other->node = kid + 1;
        sum_steps(w, best);
        sum_steps(w, other);
        if (n == w->most) break;
        best->feature = other->feature = -1;
        if (!splittable(w, best) && !splittable(w, other)) continue;
        if (best->end - best->start < other->end - other->start) {
            Sums *swap = best->hist; best->hist = other->hist; other->hist = swap;
            small = best; large = other;
        }
        fill(w, small);
        for (int32_t b = 0; b < w->total; b++) large->hist[b] -= small->hist[b];
        find_split(w, small);
        find_split(w, large);
    }
    for (int32_t k = 0; k < n; k++) {
        const Leaf *leaf = &w->leaves[k];
        float value = -leaf->g / (leaf->h + (float)w->s->l2);
        value = (float)w->s->rate * (value > 4 ? 4 : value < -4 ? -4 : value);
        ((Node *)w->out->nodes.data)[leaf->node].value = value / (float)w->s->folds;
        for (int32_t i = leaf->start; i < leaf->end; i++) w->logit[w->index[i]] += value;
        for (int32_t i = leaf->check_start; i < leaf->check_end; i++) w->logit[w->index[i]] += value;
    }
    return n;
}

static double check_loss(const Work *w, int32_t check, int32_t zeros) {
    double loss = 0;
    for (int32_t i = check; i < w->m; i++) {
        int32_t row = w->index[i];
        loss += (double)softplus(w->logit[row]) - (row >= zeros ? (double)w->logit[row] : 0);
    }
    return loss;
}

typedef struct { int64_t nodes, roots, masks; } Mark;

static Mark mark(const Work *w) { return (Mark){w->out->nodes.used, w->out->roots.used, w->out->masks.used}; }

static void back_to(Work *w, Mark at) {
    w->out->nodes.used = at.nodes; w->out->roots.used = at.roots; w->out->masks.used = at.masks;
}

/* Boost on the `seen` folds after `fold`, and keep the trees up to where the loss on that one is least.
 * Returns by how much it fell, or -1 without memory. */
static double boost(Work *w, int32_t fold, int32_t zeros, float base) {
    int32_t bad = 0, train = 0, check = w->m;
    Mark kept = mark(w);
    for (int32_t i = 0; i < w->m; i++) {
        w->logit[i] = base;
        if (w->fold[i] == fold) w->index[--check] = i;
    }
    double first = check_loss(w, check, zeros), best = first;
    for (int32_t round = 0; round < w->s->rounds && bad < w->s->patience && !is_late(w, fold); round++) {
        train = 0; check = w->m;
        for (int32_t i = 0; i < w->m; i++) {
            int32_t after = w->fold[i] - fold + (w->fold[i] < fold ? w->s->folds : 0);
            if (after == 0) w->index[--check] = i;
            if (after == 0 || after > w->s->seen) continue;
            float p = sigmoid(w->logit[i]);
            w->step[i] = (Sums){p - (float)(i >= zeros), p * (1 - p), 1, 0};
            w->index[train++] = i;
        }
        int32_t n = grow(w, train, check);
        if (n < 0) return -1;
        if (n == 1) break;
        double loss = check_loss(w, check, zeros);
        if (loss < best) { best = loss; bad = 0; kept = mark(w); } else bad++;
    }
    back_to(w, kept);
    return first - best;
}

/* Boost each fold. A question of enough rows may have trees 4, 16, ... times as large, with smaller gains, where the
 * first fold clearly gains from it. Returns 1 without memory. */
static int boost_folds(Work *w, int32_t zeros, float base) {
    Mark start = mark(w);
    w->most = w->s->leaves; w->least_gain = (float)w->s->min_gain;
    double gain = boost(w, 0, zeros, base);
    while (gain >= 0 && !w->late && w->m >= w->s->grow_rows && w->most < w->s->growth * w->s->leaves) {
        Mark now = mark(w);
        w->most *= 4; w->least_gain = 0;
        double more = boost(w, 0, zeros, base);
        if (more < 0) return 1;
        if (more < 1.05 * gain + 2) { back_to(w, now); w->most /= 4; w->least_gain = w->most > w->s->leaves ? 0 : (float)w->s->min_gain; break; }
        back_to(w, start);
        gain = boost(w, 0, zeros, base);
    }
    for (int32_t fold = 1; gain >= 0 && fold < w->s->folds; fold++) gain = boost(w, fold, zeros, base);
    return gain < 0;
}

/* ---- fitting a part ---------------------------------------------------------------------------------------------- */

typedef struct {
    const int32_t *left, *right, *mid;
    float *base;
    int32_t *first_tree, *first_mask;
    uint64_t seed;
} Plan;

static int is_worth_it(const Work *w, int64_t zeros, int64_t ones) {
    return w->d->features && zeros + ones >= w->s->min_rows && (zeros < ones ? zeros : ones) >= w->s->min_side;
}

static double work_below(const Work *w, const Plan *plan, int32_t id, int32_t lo, int32_t hi) { /* rows to be boosted */
    if (id < 0) return 0;
    int32_t middle = plan->mid[id];
    int64_t from = w->d->edges[lo], mid = w->d->edges[middle], to = w->d->edges[hi];
    double own = !is_worth_it(w, mid - from, to - mid) ? 0 : (double)(to - from < w->s->max_rows ? to - from : w->s->max_rows);
    return own + work_below(w, plan, plan->left[id], lo, middle) + work_below(w, plan, plan->right[id], middle, hi);
}

static int fit_node(Work *w, const Plan *plan, int32_t id, int32_t lo, int32_t hi) {
    if (id < 0) return 0;
    int32_t middle = plan->mid[id];
    int64_t from = w->d->edges[lo], mid = w->d->edges[middle], to = w->d->edges[hi];
    int64_t zeros = mid - from, ones = to - mid;
    plan->first_tree[id] = (int32_t)w->out->roots.used;
    plan->first_mask[id] = (int32_t)w->out->masks.used;
    if (zeros + ones == 0) plan->base[id] = (float)log((double)(hi - middle) / (double)(middle - lo));
    else if (ones == 0) plan->base[id] = -FAINT;
    else if (zeros == 0) plan->base[id] = FAINT;
    else plan->base[id] = (float)log(((double)ones + .5) / ((double)zeros + .5));
    if (is_worth_it(w, zeros, ones)) {
        uint64_t seed = plan->seed + (uint64_t)id * 0xd1342543de82ef95u;
        int32_t left = choose_rows(w, from, mid, to, &seed);
        deal_folds(w, 0, left, &seed);
        deal_folds(w, left, w->m, &seed);
        bin_features(w);
        w->masks_before = w->out->masks.used;
        begin_question(w);
        if (w->active && boost_folds(w, left, plan->base[id])) return 1;
        w->limits->cut += w->cut;
    }
    return fit_node(w, plan, plan->left[id], lo, middle) || fit_node(w, plan, plan->right[id], middle, hi);
}

/* Fit every node of a part's code tree; `first_tree` and `first_mask` have one entry more than there are nodes.
 * Returns 0, or 1 without memory. The caller copies `out` and frees it with free_grown. */
API int fit_part(const Settings *s, Limits *limits, const Data *d, int32_t nodes, int32_t size, const int32_t *left,
                 const int32_t *right, const int32_t *mid, uint64_t seed, float *base, int32_t *first_tree,
                 int32_t *first_mask, Grown *out) {
    int64_t most = d->rows < s->max_rows ? d->rows : s->max_rows;
    size_t m = (size_t)(most > 0 ? most : 1), f = (size_t)d->features + 1;
    Work w = {.s = s, .d = d, .limits = limits, .out = out};
    w.pick = malloc(m * sizeof *w.pick);
    w.index = malloc(m * sizeof *w.index);
    w.spare = malloc(m * sizeof *w.spare);
    w.fold = malloc(m);
    w.logit = malloc(m * sizeof *w.logit);
    w.step = malloc(m * sizeof *w.step);
    w.bins = malloc(m * f);
    w.use = malloc(f * sizeof *w.use);
    w.offset = malloc(f * sizeof *w.offset);
    w.low = malloc(f * BINS * sizeof *w.low);
    w.high = malloc(f * BINS * sizeof *w.high);
    w.raw_bin = malloc(65536);
    w.count = malloc(65536 * sizeof *w.count);
    w.hist = malloc((size_t)(s->growth * s->leaves) * f * BINS * sizeof *w.hist);
    w.leaves = malloc((size_t)(s->growth * s->leaves) * sizeof *w.leaves);
    int failed = !w.pick || !w.index || !w.spare || !w.fold || !w.logit || !w.step || !w.bins || !w.use || !w.offset
                 || !w.low || !w.high || !w.raw_bin || !w.count || !w.hist || !w.leaves;
    Plan plan = {left, right, mid, base, first_tree, first_mask, seed};
    w.end = seconds_now() + limits->seconds;
    if (limits->seconds >= 0) w.work = work_below(&w, &plan, nodes ? 0 : -1, 0, size);
    if (!failed && nodes) failed = fit_node(&w, &plan, 0, 0, size);
    first_tree[nodes] = (int32_t)out->roots.used;
    first_mask[nodes] = (int32_t)out->masks.used;
    free(w.pick); free(w.index); free(w.spare); free(w.fold); free(w.logit); free(w.step); free(w.bins); free(w.use);
    free(w.offset); free(w.low); free(w.high); free(w.raw_bin); free(w.count); free(w.hist); free(w.leaves);
    return failed;
}
