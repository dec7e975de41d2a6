/* The linear part of a question: a ridge logistic regression on the normal scores of the ordered parts before it, and on
 * the logits of the questions above, standardised over the question's rows. */
#include "grow.h"

#define STEPS 6
#define CLOSE 0.01     /* steps this small are the last */
#define FURTHEST 2.0   /* longest step in any weight */
#define MOST_ROWS 16000 /* a linear part needs no more */

static void gather_scores(Work *w) {
    w->terms = 0;
    for (int32_t k = 0; k < w->active; k++)
        if (w->use[k] >= w->d->features || w->d->score_at[w->use[k]] >= 0) w->term[w->terms++] = w->use[k];
    for (int32_t k = 0; k < w->terms; k++) {
        const uint16_t *x = w->column[w->term[k]];
        const float *score = w->term[k] < w->d->features ? w->d->score + w->d->score_at[w->term[k]] : 0;
        double sum = 0, squares = 0;
        for (int32_t i = 0; i < w->m; i++) {
            float v = score ? score[x[w->pick[i]]] : logit_of_code(x[w->pick[i]]);
            w->z[(int64_t)i * w->terms + k] = v;
            sum += v; squares += (double)v * v;
        }
        w->mean[k] = sum / w->m;
        double variance = squares / w->m - w->mean[k] * w->mean[k];
        w->scale[k] = 1 / sqrt((variance > 0 ? variance : 0) + 1e-6);
        for (int32_t i = 0; i < w->m; i++) {
            float *v = w->z + (int64_t)i * w->terms + k;
            *v = (float)((*v - w->mean[k]) * w->scale[k]);
        }
    }
}

float linear(const Work *w, const double *weight, int32_t row) {
    const float *z = w->z + (int64_t)row * w->terms;
    double sum = weight[0];
    for (int32_t k = 0; k < w->terms; k++) sum += weight[k + 1] * z[k];
    return (float)sum;
}

static void solve(double *a, double *b, int32_t n) { /* a x = b by Cholesky, in place; reads the lower triangle */
    for (int32_t j = 0; j < n; j++) {
        for (int32_t k = 0; k < j; k++) a[j * n + j] -= a[j * n + k] * a[j * n + k];
        a[j * n + j] = sqrt(a[j * n + j] > 1e-9 ? a[j * n + j] : 1e-9);
        for (int32_t i = j + 1; i < n; i++) {
            for (int32_t k = 0; k < j; k++) a[i * n + j] -= a[i * n + k] * a[j * n + k];
            a[i * n + j] /= a[j * n + j];
        }
    }
    for (int32_t i = 0; i < n; i++) {
        for (int32_t k = 0; k < i; k++) b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (int32_t i = n - 1; i >= 0; i--) {
        for (int32_t k = i + 1; k < n; k++) b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
}

static void add_row(const Work *w, const double *weight, int32_t i, double *a, double *b) { /* to the normal equations */
    int32_t n = w->terms + 1;
    const float *z = w->z + (int64_t)i * w->terms;
    float p = sigmoid(w->base + linear(w, weight, i)), g = (float)(i >= w->zeros) - p, h = p * (1 - p);
    a[0] += h; b[0] += g;
    for (int32_t k = 0; k < w->terms; k++) {
        double hz = h * z[k], *to = a + (k + 1) * n;
        b[k + 1] += g * z[k];
        to[0] += hz;
        for (int32_t l = 0; l <= k; l++) to[l + 1] += hz * z[l];
    }
}

/* Newton's method on all folds but one, from where `weight` stands. */
static void fit_weights(Work *w, int32_t fold, double *weight) {
    int32_t n = w->terms + 1, stride = w->m / MOST_ROWS + 1;
    double *a = w->normal, *b = a + n * n;
    for (int32_t step = 0; step < STEPS; step++) {
        memset(a, 0, (size_t)(n * n + n) * sizeof *a);
        for (int32_t i = 0; i < w->m; i += stride) if (w->fold[i] != fold) add_row(w, weight, i, a, b);
        for (int32_t k = 1; k < n; k++) { a[k * n + k] += w->s->linear_l2; b[k] -= w->s->linear_l2 * weight[k]; }
        a[0] += 1e-3;
        solve(a, b, n);
        double most = 0;
        for (int32_t k = 0; k < n; k++) if (fabs(b[k]) > most) most = fabs(b[k]);
        for (int32_t k = 0; k < n; k++) weight[k] += most > FURTHEST ? FURTHEST / most * b[k] : b[k];
        if (most < CLOSE) break;
    }
}

static double gain_of(const Work *w, int32_t fold, const double *weight) { /* on the fold left out */
    double gain = 0;
    for (int32_t i = 0; i < w->m; i++) {
        if (w->fold[i] != fold) continue;
        float with = w->base + linear(w, weight, i);
        gain += (double)softplus(w->base) - (double)softplus(with) + (i >= w->zeros ? (double)(with - w->base) : 0);
    }
    return gain;
}

void fit_linear(Work *w) {
    gather_scores(w);
    int32_t n = w->terms + 1, folds = w->s->folds;
    double *mean = w->weight + folds * n, gain = 0;
    memset(w->weight, 0, (size_t)(n * (folds + 1)) * sizeof *w->weight);
    for (int32_t fold = 0; w->terms && fold < folds; fold++) {
        double *weight = w->weight + fold * n;
        if (fold) memcpy(weight, weight - n, (size_t)n * sizeof *weight);
        fit_weights(w, fold, weight);
        gain += gain_of(w, fold, weight);
        for (int32_t k = 0; k < n; k++) mean[k] += weight[k] / folds;
    }
    w->straight = gain >= w->s->min_gain;
}

int store_linear(Work *w, float *base) {
    const double *mean = w->weight + w->s->folds * (w->terms + 1);
    double shift = mean[0];
    for (int32_t k = 0; k < w->terms; k++) {
        Weight weight = {name_of(w, w->term[k]), (float)(mean[k + 1] * w->scale[k])};
        shift -= mean[k + 1] * w->scale[k] * w->mean[k];
        if (!add(&w->out->weights, &weight, sizeof weight)) return 1;
    }
    *base += (float)shift;
    return 0;
}
