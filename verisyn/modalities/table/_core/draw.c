/* Drawing codes from a fitted part, and reading the probability of given ones. */
#include "score.h"

#define SHARES (1 << 22) /* most shares of allowed mass that are kept at a time */

typedef struct { /* an allowed set, seen from the code tree */
    uint8_t *state;  /* of each node: no code below it is allowed (0), some (1), all (2) */
    int32_t *place;  /* of the nodes with some: their number */
    int32_t partly;  /* how many of these there are */
    double *mass, *share; /* [place * rows + row]: mass of the allowed codes below, and of those on the right */
} Held;

typedef struct { /* what is asked of the rows: see walk and walk_within */
    double *u;
    int32_t *code;
    const int32_t *position, *mid;
    double *log_prob;
    const Held *held;
} Task;

typedef struct { int32_t id; int64_t from, to; } Span;

/* Choose the side of one row at a node whose right side has logit `logit`, and use up its uniform number. */
static int choose(const Scorer *s, const Task *t, int32_t id, int32_t row, float logit) {
    double p = right_share(logit), q = 1 - p;
    if (!t->u) {
        int go = t->position[t->code[row]] >= t->mid[id];
        t->log_prob[row] += log(go ? p : q);
        return go;
    }
    if (t->held && t->held->state[id] == 1) {
        int64_t at = t->held->place[id] * s->rows + row;
        p = t->held->share[at] / t->held->mass[at];
        q = 1 - p;
    }
    int go = q <= 0 || (p > 0 && t->u[row] >= q);
    t->u[row] = (go ? t->u[row] - q : t->u[row]) / (go ? p : q);
    return go;
}

/* Rows go down the code tree together. Returns 1 without memory. */
static int descend(Scorer *s, const Task *t) {
    const Model *m = s->m;
    int32_t *row = malloc((size_t)(s->rows + 1) * 2 * sizeof *row), *spare = row ? row + s->rows : 0;
    Span *todo = malloc((size_t)(m->nodes + 2) * sizeof *todo);
    int failed = !row || !todo;
    int64_t waiting = 0;
    float logit[BLOCK];
    for (int64_t i = 0; !failed && i < s->rows; i++) row[i] = (int32_t)i;
    if (!failed) todo[waiting++] = (Span){m->nodes ? 0 : ~0, 0, s->rows};
    while (waiting && !failed) {
        Span at = todo[--waiting];
        if (at.from == at.to) continue;
        if (at.id < 0) {
            if (t->u) for (int64_t i = at.from; i < at.to; i++) t->code[row[i]] = ~at.id;
            continue;
        }
        int64_t left = at.from, right = 0;
        for (int64_t from = at.from; from < at.to && !failed; from += BLOCK) {
            int32_t n = (int32_t)(at.to - from < BLOCK ? at.to - from : BLOCK);
            failed = logits_of(s, at.id, at.to - at.from, row + from, n, logit);
            for (int32_t i = 0; i < n && !failed; i++) {
                int32_t r = row[from + i];
                if (choose(s, t, at.id, r, logit[i])) spare[right++] = r; else row[left++] = r;
            }
        }
        memcpy(row + left, spare, (size_t)right * sizeof *row);
        todo[waiting++] = (Span){m->right[at.id], left, at.to};
        todo[waiting++] = (Span){m->left[at.id], at.from, left};
    }
    free(row); free(todo);
    return failed;
}

/* With `u` (uniform numbers, used up as they go) codes are drawn; without it the given codes are followed, by their leaf
 * `position` and the nodes' `mid`, and log p is added up. Returns 1 without memory. */
API int walk(const Model *m, const uint16_t *x, int32_t width, int64_t rows, double *u, int32_t *code,
             const int32_t *position, const int32_t *mid, double *log_prob) {
    Scorer s;
    Task t = {u, code, position, mid, log_prob, 0};
    if (open_scorer(&s, m, x, width, rows)) return 1;
    int failed = descend(&s, &t);
    close_scorer(&s);
    return failed;
}

/* ---- within an allowed set --------------------------------------------------------------------------------------------- */

static int32_t state_of(const Held *h, int32_t kid, const uint8_t *allowed) {
    return kid < 0 ? 2 * allowed[~kid] : h->state[kid];
}

static int hold(Held *h, const Model *m, const uint8_t *allowed) { /* 1 without memory */
    h->state = malloc((size_t)m->nodes + 1);
    h->place = malloc(((size_t)m->nodes + 1) * sizeof *h->place);
    if (!h->state || !h->place) return 1;
    for (int32_t id = m->nodes - 1; id >= 0; id--) { /* kids have larger numbers */
        int32_t left = state_of(h, m->left[id], allowed), right = state_of(h, m->right[id], allowed);
        h->state[id] = (uint8_t)(left == right ? left : 1);
        if (h->state[id] == 1) h->place[id] = h->partly++;
    }
    return 0;
}

static double mass_below(const Held *h, int32_t kid, const uint8_t *allowed, int64_t rows, int64_t i) {
    int32_t state = state_of(h, kid, allowed);
    return state == 1 ? h->mass[h->place[kid] * rows + i] : state / 2;
}

/* Weigh the allowed codes below every node that has some of them. Returns 1 without memory. */
static int weigh(Scorer *s, Held *h, const uint8_t *allowed) {
    const Model *m = s->m;
    float logit[BLOCK];
    int32_t row[BLOCK];
    for (int32_t id = m->nodes - 1; id >= 0; id--) {
        if (h->state[id] != 1) continue;
        for (int64_t from = 0; from < s->rows; from += BLOCK) {
            int32_t n = (int32_t)(s->rows - from < BLOCK ? s->rows - from : BLOCK);
            for (int32_t i = 0; i < n; i++) row[i] = (int32_t)from + i;
            if (logits_of(s, id, s->rows, row, n, logit)) return 1;
            for (int32_t i = 0; i < n; i++) {
                int64_t at = h->place[id] * s->rows + from + i;
                double p = right_share(logit[i]);
                h->share[at] = p * mass_below(h, m->right[id], allowed, s->rows, from + i);
                h->mass[at] = h->share[at] + (1 - p) * mass_below(h, m->left[id], allowed, s->rows, from + i);
            }
        }
    }
    return 0;
}

/* Draw only allowed codes, of which there is at least one; adds the log of their mass. Returns 1 without memory. */
API int walk_within(const Model *m, const uint16_t *x, int32_t width, int64_t rows, const uint8_t *allowed,
                    double *u, int32_t *code, double *log_mass) {
    Held h = {0};
    int failed = hold(&h, m, allowed);
    int64_t most = failed || !h.partly ? rows : SHARES / h.partly + BLOCK;
    if (most > rows) most = rows;
    size_t shares = (size_t)h.partly * (size_t)most + 1;
    h.mass = failed ? 0 : malloc(2 * shares * sizeof *h.mass);
    h.share = h.mass ? h.mass + shares : 0;
    if (!h.mass) failed = 1;
    for (int64_t from = 0; from < rows && !failed; from += most) {
        Scorer s;
        Task t = {u + from, code + from, 0, 0, 0, &h};
        if (open_scorer(&s, m, x + from * width, width, rows - from < most ? rows - from : most)) { failed = 1; break; }
        failed = weigh(&s, &h, allowed) || descend(&s, &t);
        if (!failed && h.partly)
            for (int64_t i = 0; i < s.rows; i++) log_mass[from + i] += log(h.mass[(int64_t)h.place[0] * s.rows + i]);
        close_scorer(&s);
    }
    free(h.state); free(h.place); free(h.mass);
    return failed;
}
