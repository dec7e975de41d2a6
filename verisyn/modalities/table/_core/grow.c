/* Trees: the questions of one booster, histograms first, best leaf first. */
#include "grow.h"

/* Bin one feature over the node's rows; returns the number of bins. An ordered feature with too many codes is cut at
 * equal steps of the root of its mass, which keeps spikes and tails apart where equal mass would not. */
static int32_t bin_feature(Work *w, int32_t f, int32_t offset, int32_t most) {
    const uint16_t *x = w->column[f];
    int32_t size = f < w->d->features ? w->d->sizes[f] : LOGITS, seen = 0, bin = -1, last = -1;
    double sum = 0, at = 0;
    memset(w->count, 0, (size_t)size * sizeof *w->count);
    for (int32_t i = 0; i < w->m; i++) w->count[x[w->pick[i]]]++;
    for (int32_t v = 0; v < size; v++) if (w->count[v]) { seen++; sum += sqrt((double)w->count[v]); }
    for (int32_t v = 0; v < size; v++) {
        if (!w->count[v]) continue;
        double root = sqrt((double)w->count[v]);
        int32_t place = seen <= most || !is_ordered(w, f) ? bin + 1 : (int32_t)((at + root / 2) / sum * most);
        at += root;
        if (place != last) { last = place; w->low[offset + ++bin] = (uint16_t)v; }
        if (seen <= most || !is_ordered(w, f)) last = -1;
        w->high[offset + bin] = (uint16_t)v;
        w->raw_bin[v] = (uint8_t)bin;
    }
    return bin + 1;
}

void bin_features(Work *w) {
    int32_t most = w->m < 2000 ? 64 : BINS - 1;
    w->active = w->total = 0;
    for (int32_t f = 0; f < w->d->features + w->depth; f++) {
        int32_t n = bin_feature(w, f, w->total, most);
        if (n < 2) continue;
        w->use[w->active] = f;
        w->offset[w->active++] = w->total;
        w->total += n;
        const uint16_t *x = w->column[f];
        uint8_t *to = w->bins + (int64_t)(w->active - 1) * w->m;
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
        if (is_ordered(w, w->use[f]) || bins == 2) { try_cuts(w, leaf, f, 0, bins, (float)w->s->l2); continue; }
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
    node->feature = name_of(w, f);
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

/* Grow one tree on the first `train` rows of the index, best leaf first, and add it to the logits of all; returns its
 * leaves, or -1 without memory. */
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
        int by_mask = !is_ordered(w, w->use[best->feature])
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

static double check_loss(const Work *w, int32_t check) {
    double loss = 0;
    for (int32_t i = check; i < w->m; i++) {
        int32_t row = w->index[i];
        loss += (double)softplus(w->logit[row]) - (row >= w->zeros ? (double)w->logit[row] : 0);
    }
    return loss;
}

/* Whether a booster must end: folds share the time of a question evenly. */
static int is_late(Work *w, int32_t fold) {
    w->late = *w->limits->stop || (w->limits->seconds >= 0
                                   && seconds_now() > w->begin + w->share * (fold + 1) / w->s->folds);
    w->cut |= w->late;
    return w->late;
}

static int keep_round(Work *w, double loss, Mark *kept) {
    w->loss = loss;
    *kept = mark(w);
    memcpy(w->kept, w->logit, (size_t)w->m * sizeof *w->logit);
    return 0;
}

double boost(Work *w, int32_t fold) {
    int32_t bad = 0, train = 0, check = w->m;
    const double *weight = w->weight + fold * (w->terms + 1);
    Mark kept;
    for (int32_t i = 0; i < w->m; i++) {
        w->logit[i] = w->base + (w->straight ? linear(w, weight, i) : 0);
        if (w->fold[i] == fold) w->index[--check] = i;
    }
    double first = check_loss(w, check);
    keep_round(w, first, &kept);
    for (int32_t round = 0; round < w->s->rounds && bad < w->s->patience && !is_late(w, fold); round++) {
        train = 0; check = w->m;
        for (int32_t i = 0; i < w->m; i++) {
            if (w->fold[i] == fold) { w->index[--check] = i; continue; }
            float p = sigmoid(w->logit[i]);
            w->step[i] = (Sums){p - (float)(i >= w->zeros), p * (1 - p), 1, 0};
            w->index[train++] = i;
        }
        int32_t n = grow(w, train);
        if (n < 0) return -1;
        if (n == 1) break;
        double loss = check_loss(w, train);
        bad = loss < w->loss ? keep_round(w, loss, &kept) : bad + 1;
    }
    back_to(w, kept);
    return first - w->loss;
}
