/* What is decided before anything is fitted: code trees, and which parts tell of which. */
#include "core.h"

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
