/* The compiled core of the tree generator: plain C99, no Python, no dependencies.
 *
 * A part (a column of codes) is a code tree: each inner node is a question "right or left?", each leaf a code. Each
 * question is answered by its base rate plus a small forest of boosted trees on the parts before it.
 *
 *   code_tree     builds a part's code tree from the counts of its codes
 *   fit_part      boosts every node of it
 *   walk          draws codes, or follows given codes and sums their log-probability
 *   walk_within   draws codes from an allowed set, with the exact mass of that set
 *   dependence    mutual information of one part with those before it, to choose features of a wide table
 *
 * Every sum has a fixed order and exp and log are our own, so that the same seed gives the same bytes everywhere.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif
#define BINS 256
#define FAINT 20.7f /* the logit of a side no row took: about 1e-9 */
#define BLOCK 64 /* rows that go down a code tree together */

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static float exp_(float x) { /* for x in [-80, 0]: 2^k times a polynomial, relative error under 2e-7 */
    float t = x * 1.44269504f;
    int k = (int)(t - 0.5f);
    float f = (t - (float)k) * 0.693147181f;
    float p = 1.f + f * (1.f + f * (.5f + f * (.166666667f + f * (.0416666667f + f * (.00833333333f + f * .00138888889f)))));
    union { float f; uint32_t i; } scale;
    scale.i = (uint32_t)(k + 127) << 23;
    return p * scale.f;
}

static float sigmoid(float x) {
    float z = exp_(fabsf(x) > 80.f ? -80.f : -fabsf(x));
    return x < 0 ? z / (1.f + z) : 1.f / (1.f + z);
}

static double right_share(float logit) { /* keeps both sides above zero, unlike a rounded sigmoid */
    return logit < 0 ? (double)sigmoid(logit) : 1.0 - (double)sigmoid(-logit);
}

static float softplus(float x) { /* log(1 + e^x), by the series of atanh */
    float z = exp_(fabsf(x) > 80.f ? -80.f : -fabsf(x));
    float s = z / (2.f + z), q = s * s;
    float l = 2.f * s * (1.f + q * (1 / 3.f + q * (1 / 5.f + q * (1 / 7.f + q * (1 / 9.f + q * (1 / 11.f))))));
    return (x > 0 ? x : 0.f) + l;
}

static uint64_t next_random(uint64_t *state) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t random_below(uint64_t *state, int64_t n) {
    return (int64_t)((double)(next_random(state) >> 11) * 0x1p-53 * (double)n);
}

/* ---- code trees ----------------------------------------------------------------------------------------------- */

typedef struct {
    int32_t *left, *right; /* children of an inner node: another inner node, or ~code */
    int32_t *mid;          /* position of the first leaf on its right side */
    int32_t *perm;         /* code at each leaf position */
    int32_t used;
    const int32_t *made_left, *made_right; /* Huffman: children by order of making */
    const int64_t *cum;                    /* ordered: rows with a smaller code */
} CodeTree;

static int32_t halve(CodeTree *t, int32_t lo, int32_t hi, int32_t first) { /* at the median of the mass */
    if (hi - lo == 1) return ~lo;
    int32_t id = t->used++, mid = lo + (hi - lo) / 2;
    int64_t a = t->cum[lo], b = t->cum[hi];
    if (first > lo && first < hi) mid = first;
    else if (b > a) {
        int32_t below = lo + 1, above = hi - 1;
        while (below < above) {
            int32_t m = below + (above - below) / 2;
            if (2 * (t->cum[m] - a) < b - a) below = m + 1; else above = m;
        }
        mid = below;
        if (mid - 1 > lo && b - a - 2 * (t->cum[mid - 1] - a) < 2 * (t->cum[mid] - a) - (b - a)) mid--;
    }
    t->mid[id] = mid;
    t->left[id] = halve(t, lo, mid, -1);
    t->right[id] = halve(t, mid, hi, -1);
    return id;
}

static int32_t lay(CodeTree *t, int32_t made, int32_t *position) { /* number a Huffman tree parents first */
    if (made < 0) { t->perm[(*position)++] = ~made; return made; }
    int32_t id = t->used++;
    t->left[id] = lay(t, t->made_left[made], position);
    t->mid[id] = *position;
    t->right[id] = lay(t, t->made_right[made], position);
    return id;
}

/* `order` lists the codes by falling count; `missing` is split off first. Needs room for size - 1 nodes; -1: no memory. */
API int32_t code_tree(int32_t size, const int64_t *count, const int32_t *order, int32_t ordered, int32_t missing,
                      int32_t *left, int32_t *right, int32_t *mid, int32_t *perm) {
    CodeTree t = {left, right, mid, perm, 0, 0, 0, 0};
    int64_t *mass = calloc((size_t)size + 1, sizeof *mass);
    int32_t *made = calloc(2 * (size_t)size, sizeof *made), *a = made, *b = made ? made + size : 0;
    if (!mass || !made) { free(mass); free(made); return -1; }
    if (ordered) {
        for (int32_t i = 0; i < size; i++) { mass[i + 1] = mass[i] + count[i]; perm[i] = i; }
        t.cum = mass;
        halve(&t, 0, size, missing);
    } else { /* the two-queue form of Huffman's algorithm: codes by rising count, and the nodes made so far */
        int32_t leaf = size - 1, done = 0;
        for (int32_t n = 0; n < size - 1; n++) {
            int32_t pick[2];
            int64_t sum = 0;
            for (int k = 0; k < 2; k++) {
                int from_leaves = leaf >= 0 && (done >= n || count[order[leaf]] <= mass[done]);
                sum += from_leaves ? count[order[leaf]] : mass[done];
                pick[k] = from_leaves ? ~order[leaf--] : done++;
            }
            a[n] = pick[0]; b[n] = pick[1]; mass[n] = sum;
        }
        int32_t position = 0;
        t.made_left = a; t.made_right = b;
        lay(&t, size > 1 ? size - 2 : ~order[0], &position);
    }
    free(mass); free(made);
    return t.used;
}

/* ---- what fitting makes ---------------------------------------------------------------------------------------- */

typedef struct { /* a node of a boosted tree; a leaf has feature -1 and a value */
    int32_t feature;
    int32_t kid;   /* left child; the right one follows it */
    float value;   /* of a leaf */
    uint16_t cut;  /* ordered: right if code > cut; else the index of its mask among those of the code-tree node */
    uint16_t by_mask;
} Node;

typedef struct { uint64_t bit[4]; } Mask; /* the codes that go right; codes from 255 on share the last bit */

typedef struct { char *data; int64_t used, room; } Pile;

typedef struct { Pile nodes, roots, masks; } Grown;

static void *add(Pile *p, const void *item, size_t size) {
    if (p->used == p->room) {
        int64_t room = p->room ? 2 * p->room : 256;
        char *data = realloc(p->data, (size_t)room * size);
        if (!data) return 0;
        p->data = data; p->room = room;
    }
    return memcpy(p->data + (size_t)p->used++ * size, item, size);
}

API void free_grown(Grown *g) { free(g->nodes.data); free(g->roots.data); free(g->masks.data); }

typedef struct {
    double rate, l2, level_l2, min_gain;
    int64_t max_rows;
    int32_t folds, rounds, leaves, min_rows, min_leaf, min_side, patience, growth, grow_rows;
} Settings;

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
} Work;

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

/* Grow one tree, best leaf first, and add it to the logits; returns its leaves, or -1 without memory. */
static int32_t grow(Work *w, int32_t train) {
    Node root = {-1, 0, 0, 0, 0};
    int32_t id = (int32_t)w->out->nodes.used, n = 1;
    if (!add(&w->out->nodes, &root, sizeof root) || !add(&w->out->roots, &id, sizeof id)) return -1;
    w->leaves[0] = (Leaf){.end = train, .check_start = train, .check_end = w->m, .node = id, .hist = w->hist};
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

static double check_loss(const Work *w, int32_t train, int32_t zeros) {
    double loss = 0;
    for (int32_t i = train; i < w->m; i++) {
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

/* Boost on all folds but one, and keep the trees up to where the loss on that one is least.
 * Returns by how much it fell, or -1 without memory. */
static double boost(Work *w, int32_t fold, int32_t zeros, float base) {
    int32_t bad = 0, train = 0, check = w->m;
    Mark kept = mark(w);
    for (int32_t i = 0; i < w->m; i++) {
        w->logit[i] = base;
        if (w->fold[i] == fold) w->index[--check] = i;
    }
    double first = check_loss(w, check, zeros), best = first;
    for (int32_t round = 0; round < w->s->rounds && bad < w->s->patience; round++) {
        train = 0; check = w->m;
        for (int32_t i = 0; i < w->m; i++) {
            if (w->fold[i] == fold) { w->index[--check] = i; continue; }
            float p = sigmoid(w->logit[i]);
            w->step[i] = (Sums){p - (float)(i >= zeros), p * (1 - p), 1, 0};
            w->index[train++] = i;
        }
        int32_t n = grow(w, train);
        if (n < 0) return -1;
        if (n == 1) break;
        double loss = check_loss(w, train, zeros);
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
    while (gain >= 0 && w->m >= w->s->grow_rows && w->most < w->s->growth * w->s->leaves) {
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
    int64_t side = zeros < ones ? zeros : ones;
    if (w->d->features && zeros + ones >= w->s->min_rows && side >= w->s->min_side) {
        uint64_t seed = plan->seed + (uint64_t)id * 0xd1342543de82ef95u;
        int32_t left = choose_rows(w, from, mid, to, &seed);
        deal_folds(w, 0, left, &seed);
        deal_folds(w, left, w->m, &seed);
        bin_features(w);
        w->masks_before = w->out->masks.used;
        if (w->active && boost_folds(w, left, plan->base[id])) return 1;
    }
    return fit_node(w, plan, plan->left[id], lo, middle) || fit_node(w, plan, plan->right[id], middle, hi);
}

/* Fit every node of a part's code tree; `first_tree` and `first_mask` have one entry more than there are nodes.
 * Returns 0, or 1 without memory. The caller copies `out` and frees it with free_grown. */
API int fit_part(const Settings *s, const Data *d, int32_t nodes, int32_t size, const int32_t *left,
                 const int32_t *right, const int32_t *mid, uint64_t seed, float *base, int32_t *first_tree,
                 int32_t *first_mask, Grown *out) {
    int64_t most = d->rows < s->max_rows ? d->rows : s->max_rows;
    size_t m = (size_t)(most > 0 ? most : 1), f = (size_t)d->features + 1;
    Work w = {.s = s, .d = d, .out = out};
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
    if (!failed && nodes) failed = fit_node(&w, &plan, 0, 0, size);
    first_tree[nodes] = (int32_t)out->roots.used;
    first_mask[nodes] = (int32_t)out->masks.used;
    free(w.pick); free(w.index); free(w.spare); free(w.fold); free(w.logit); free(w.step); free(w.bins); free(w.use);
    free(w.offset); free(w.low); free(w.high); free(w.raw_bin); free(w.count); free(w.hist); free(w.leaves);
    return failed;
}

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

/* ---- which parts tell of which ------------------------------------------------------------------------------------- */

/* Mutual information, in nats, of coarse part `j` (codes under 16) with each part before it, less its expectation
 * under independence. `x` holds part f at [f * rows + i]. */
API void dependence(const uint8_t *x, int64_t rows, int32_t j, double *out) {
    for (int32_t f = 0; f < j; f++) {
        int64_t n[16][16] = {{0}}, a[16] = {0}, b[16] = {0};
        int used_a = 0, used_b = 0;
        double sum = 0;
        for (int64_t i = 0; i < rows; i++) n[x[f * rows + i]][x[j * rows + i]]++;
        for (int p = 0; p < 16; p++) for (int q = 0; q < 16; q++) { a[p] += n[p][q]; b[q] += n[p][q]; }
        for (int p = 0; p < 16; p++) { used_a += a[p] > 0; used_b += b[p] > 0; }
        for (int p = 0; p < 16; p++)
            for (int q = 0; q < 16; q++)
                if (n[p][q]) sum += (double)n[p][q] * log((double)n[p][q] * (double)rows / ((double)a[p] * (double)b[q]));
        out[f] = (sum - (used_a - 1) * (used_b - 1) / 2.0) / (double)rows;
    }
}
