/* Drawing codes from a fitted part, and reading the probability of given ones. */
#include "score.h"

#define SHARES (1 << 22) /* most shares of allowed mass that are kept at a time */

typedef struct { /* an allowed set, seen from the code tree */
    uint8_t *state;  /* of each node: no code below it is allowed (0), some (1), all (2) */
    int32_t *place;  /* of the nodes with some: their number */
    int32_t partly;  /* how many of these there are */
    double *mass, *share; /* [place * rows + row]: mass of the allowed codes below, and of those on the right */
} Held;

typedef struct { /* what is asked of the rows: see draw, draw_within and follow */
    uint64_t *seed; /* draw; otherwise follow the codes */
    int32_t *code, *order;
    const int32_t *position, *mid;
    double *log_prob;
    const Held *held;
    const double *share; /* calibrate: of the rows at each question, those that shall go right */
} Task;

typedef struct { int32_t id, depth; int64_t from, to; } Span;

typedef struct { /* scratch of descend, as long as there are rows */
    int32_t *row, *spare, *place;
    float *logit;
    uint8_t *right;
    Span *todo;
} Room;

/* ---- choosing sides ------------------------------------------------------------------------------------------------ */

#define STRATUM 8 /* codes of a logit: half a unit */

static double share_of_right(const Scorer *s, const Held *held, int32_t id, int32_t row, float logit) {
    if (!held || held->state[id] != 1) return right_share(logit + s->m->shift[id]);
    int64_t at = held->place[id] * s->rows + row;
    return held->share[at] / held->mass[at];
}

/* Systematic sampling (Madow 1949): each row goes right with its own probability, and of any run of neighbours as many as
 * expected, give or take one. Neighbours are rows of about the same logit, and among these in the order in which the
 * columns before have left them. So the rows, drawn together, miss the model's shares by less than independent draws. */
static void draw_sides(const Scorer *s, const Task *t, Room *r, Span at) {
    int32_t ends[LOGITS / STRATUM + 2] = {0}, n = (int32_t)(at.to - at.from);
    const int32_t *row = r->row + at.from;
    for (int32_t i = 0; i < n; i++) ends[logit_code(r->logit[i]) / STRATUM + 1]++;
    for (int32_t k = 0; k <= LOGITS / STRATUM; k++) ends[k + 1] += ends[k];
    for (int32_t i = 0; i < n; i++) r->place[ends[logit_code(r->logit[i]) / STRATUM]++] = i;
    double sum = (double)(next_random(t->seed) >> 11) * 0x1p-53;
    for (int32_t k = 0; k < n; k++) {
        int32_t i = r->place[k];
        double p = share_of_right(s, t->held, at.id, row[i], r->logit[i]);
        sum += p;
        r->right[i] = p > 0 && (sum >= 1 || p >= 1);
        sum -= r->right[i];
    }
}

static void follow_codes(const Scorer *s, const Task *t, Room *r, Span at) {
    for (int64_t i = 0; i < at.to - at.from; i++) {
        int32_t row = r->row[at.from + i];
        double p = right_share(r->logit[i] + s->m->shift[at.id]);
        r->right[i] = t->position[t->code[row]] >= t->mid[at.id];
        t->log_prob[row] += log(r->right[i] ? p : 1 - p);
    }
}

/* ---- calibration --------------------------------------------------------------------------------------------------- */

#define FEWEST 50 /* rows that can tell how far a question is off */

/* Drawn rows reach a question with other features than real ones do, because no question above is answered perfectly: they
 * pile up in a column's middle. So logits are shifted until as many rows as wanted go right, by Newton's method. */
static float shift_of(const float *logit, int64_t n, double wanted) {
    double shift = 0, slope = 1;
    for (int32_t step = 0; step < 8 && slope > 1e-9; step++) {
        double over = -wanted, by;
        slope = 0;
        for (int64_t i = 0; i < n; i++) {
            float p = sigmoid(logit[i] + (float)shift);
            over += p; slope += p * (1 - p);
        }
        by = slope > 1e-9 ? over / slope : 0;
        shift -= by > 1 ? 1 : by < -1 ? -1 : by;
        if (fabs(by) < 1e-4) break;
    }
    return (float)shift;
}

static void calibrate(const Scorer *s, const Task *t, const Room *r, Span at) {
    const Model *m = s->m;
    int plain = m->first_tree[at.id] == m->first_tree[at.id + 1] && m->first_weight[at.id] == m->first_weight[at.id + 1];
    int64_t n = at.to - at.from;
    m->shift[at.id] = plain || n < FEWEST ? 0 : shift_of(r->logit, n, t->share[at.id] * (double)n);
}

/* ---- down the code tree -------------------------------------------------------------------------------------------- */

static int answer(Scorer *s, Room *r, Span at) { /* logits of the rows at a question; those below are told of them */
    for (int64_t from = at.from; from < at.to; from += BLOCK) {
        int32_t n = (int32_t)(at.to - from < BLOCK ? at.to - from : BLOCK);
        if (logits_of(s, at.id, at.to - at.from, r->row + from, n, r->logit + (from - at.from))) return 1;
    }
    if (at.depth >= DEPTHS) return 0;
    uint16_t *above = s->x + s->m->parts + at.depth;
    for (int64_t i = 0; i < at.to - at.from; i++) above[(int64_t)r->row[at.from + i] * s->width] = logit_code(r->logit[i]);
    return 0;
}

static int64_t part_rows(Room *r, Span at) { /* returns the first row that goes right */
    int64_t left = at.from, right = 0;
    for (int64_t i = at.from; i < at.to; i++) {
        if (r->right[i - at.from]) r->spare[right++] = r->row[i]; else r->row[left++] = r->row[i];
    }
    memcpy(r->row + left, r->spare, (size_t)right * sizeof *r->row);
    return left;
}

static int open_room(Room *r, const Scorer *s) {
    size_t n = (size_t)s->rows + 1;
    *r = (Room){malloc(3 * n * sizeof *r->row), 0, 0, malloc(n * sizeof *r->logit), malloc(n),
                malloc((size_t)(s->m->nodes + 2) * sizeof *r->todo)};
    r->spare = r->row ? r->row + n : 0;
    r->place = r->row ? r->spare + n : 0;
    return !r->row || !r->logit || !r->right || !r->todo;
}

static void close_room(Room *r) { free(r->row); free(r->logit); free(r->right); free(r->todo); }

/* Rows go down the code tree together. Returns 1 without memory. */
static int descend(Scorer *s, const Task *t) {
    const Model *m = s->m;
    Room r;
    int failed = open_room(&r, s);
    int64_t waiting = 0;
    for (int64_t i = 0; !failed && i < s->rows; i++) r.row[i] = t->order ? t->order[i] : (int32_t)i;
    if (!failed) r.todo[waiting++] = (Span){m->nodes ? 0 : ~0, 0, 0, s->rows};
    while (waiting && !failed) {
        Span at = r.todo[--waiting];
        if (at.from == at.to) continue;
        if (at.id < 0) {
            if (t->seed) for (int64_t i = at.from; i < at.to; i++) t->code[r.row[i]] = ~at.id;
            continue;
        }
        failed = answer(s, &r, at);
        if (failed) break;
        if (t->share) calibrate(s, t, &r, at);
        if (t->seed) draw_sides(s, t, &r, at); else follow_codes(s, t, &r, at);
        int64_t middle = part_rows(&r, at);
        r.todo[waiting++] = (Span){m->right[at.id], at.depth + 1, middle, at.to};
        r.todo[waiting++] = (Span){m->left[at.id], at.depth + 1, at.from, middle};
    }
    if (!failed && t->order) memcpy(t->order, r.row, (size_t)s->rows * sizeof *r.row);
    close_room(&r);
    return failed;
}

static int descend_all(const Task *t, const Model *m, uint16_t *x, int32_t width, int64_t rows) {
    Scorer s;
    if (open_scorer(&s, m, x, width, rows)) return 1;
    int failed = descend(&s, t);
    close_scorer(&s);
    return failed;
}

/* Draw codes. `order` lists the rows as the parts before have sorted them, and is sorted by this one. With `share`, set the
 * model's shifts on the way. Returns 1 without memory. */
API int draw(const Model *m, uint16_t *x, int32_t width, int64_t rows, uint64_t seed, int32_t *code, int32_t *order,
             const double *share) {
    Task t = {.seed = &seed, .code = code, .order = order, .share = share};
    return descend_all(&t, m, x, width, rows);
}

/* Follow the given codes, by their leaf `position` and the nodes' `mid`, and add up log p. Returns 1 without memory. */
API int follow(const Model *m, uint16_t *x, int32_t width, int64_t rows, int32_t *code, const int32_t *position,
               const int32_t *mid, double *log_prob) {
    Task t = {.code = code, .position = position, .mid = mid, .log_prob = log_prob};
    return descend_all(&t, m, x, width, rows);
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

static void tell_of_path(Scorer *s, const Held *h, const float *logit, const int32_t *path, int32_t depth, int64_t from, int32_t n) {
    for (int32_t k = 0; k < depth && k < DEPTHS; k++)
        for (int32_t i = 0; i < n; i++)
            s->x[(from + i) * s->width + s->m->parts + k] = logit_code(logit[h->place[path[k]] * s->rows + from + i]);
}

/* The logits of all rows at a node that holds some allowed codes, and at those below it; `path` leads there. */
static int weigh_down(Scorer *s, const Held *h, float *logit, int32_t id, int32_t *path, int32_t depth) {
    int32_t row[BLOCK];
    if (id < 0 || h->state[id] != 1) return 0;
    for (int64_t from = 0; from < s->rows; from += BLOCK) {
        int32_t n = (int32_t)(s->rows - from < BLOCK ? s->rows - from : BLOCK);
        for (int32_t i = 0; i < n; i++) row[i] = (int32_t)from + i;
        tell_of_path(s, h, logit, path, depth, from, n);
        if (logits_of(s, id, s->rows, row, n, logit + h->place[id] * s->rows + from)) return 1;
    }
    if (depth < DEPTHS) path[depth] = id;
    return weigh_down(s, h, logit, s->m->left[id], path, depth + 1)
           || weigh_down(s, h, logit, s->m->right[id], path, depth + 1);
}

/* Weigh the allowed codes below every node that has some of them. Returns 1 without memory. */
static int weigh(Scorer *s, Held *h, const uint8_t *allowed) {
    const Model *m = s->m;
    int32_t path[DEPTHS];
    float *logit = malloc(((size_t)h->partly * (size_t)s->rows + 1) * sizeof *logit);
    int failed = !logit || (m->nodes && weigh_down(s, h, logit, 0, path, 0));
    for (int32_t id = m->nodes - 1; id >= 0 && !failed; id--) {
        if (h->state[id] != 1) continue;
        for (int64_t i = 0; i < s->rows; i++) {
            int64_t at = h->place[id] * s->rows + i;
            double p = right_share(logit[at] + m->shift[id]);
            h->share[at] = p * mass_below(h, m->right[id], allowed, s->rows, i);
            h->mass[at] = h->share[at] + (1 - p) * mass_below(h, m->left[id], allowed, s->rows, i);
        }
    }
    free(logit);
    return failed;
}

/* Draw only allowed codes, of which there is at least one; adds the log of their mass. Returns 1 without memory. */
API int draw_within(const Model *m, uint16_t *x, int32_t width, int64_t rows, const uint8_t *allowed, uint64_t seed,
                    int32_t *code, double *log_mass) {
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
        Task t = {.seed = &seed, .code = code + from, .held = &h};
        if (open_scorer(&s, m, x + from * width, width, rows - from < most ? rows - from : most)) { failed = 1; break; }
        failed = weigh(&s, &h, allowed) || descend(&s, &t);
        if (!failed && h.partly)
            for (int64_t i = 0; i < s.rows; i++) log_mass[from + i] += log(h.mass[(int64_t)h.place[0] * s.rows + i]);
        close_scorer(&s);
    }
    free(h.state); free(h.place); free(h.mass);
    return failed;
}
