/* Folds a question's trees from their leaves to their roots; score.c includes it once for each width of vectors,
 * BYTES, with the name FOLD and its attributes FOR. */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define LANES (BYTES / 2)
#define Lanes JOIN(Lanes, BYTES)
#define Pairs JOIN(Pairs, BYTES)
#define STRIDE (BLOCK / LANES)

typedef int16_t Lanes __attribute__((vector_size(BYTES), aligned(2), may_alias));
typedef int32_t Pairs __attribute__((vector_size(BYTES), aligned(2), may_alias)); /* two lanes each */

FOR static inline void JOIN(look_up, BYTES)(const int16_t *bits, int32_t words, const Lanes *x, Lanes *out, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        Lanes found = x[i] & ((Lanes){0} + bits[0]);
        for (int32_t w = 1; w < words; w++) found |= x[w * STRIDE + i] & ((Lanes){0} + bits[w]);
        out[i] = found;
    }
}

FOR static inline __attribute__((always_inline)) void JOIN(pick, BYTES)(
        const Test *test, const Lanes *x, Lanes *to, int left_is_leaf, int right_is_leaf, int32_t n) {
    const Lanes cut = (Lanes){0} + test->cut, left = (Lanes){0} + test->left, right = (Lanes){0} + test->right;
    const Lanes *from = left_is_leaf ? to : to + STRIDE;
    for (int32_t i = 0; i < n; i++) {
        Lanes a = left_is_leaf ? left : to[i], b = right_is_leaf ? right : from[i];
        to[i] = a ^ ((a ^ b) & (Lanes)(x[i] > cut));
    }
}

/* Sums of even and of odd rows; `n` rows, a multiple of LANES. */
FOR static void FOLD(const Scorer *s, int32_t n, int32_t *even, int32_t *odd) {
    const Test *test = (const Test *)s->tests.data, *end = test + s->tests.used;
    Lanes *side = (Lanes *)(s->cells + (int64_t)s->columns * BLOCK), *slots = side + STRIDE;
    n /= LANES;
    for (; test < end; test++) {
        const Lanes *x = (const Lanes *)(s->cells + (int64_t)test->column * BLOCK);
        Lanes *to = slots + (int64_t)test->to * STRIDE;
        if (test->words) {
            JOIN(look_up, BYTES)((const int16_t *)s->bits.data + test->bits, test->words, x, side, n);
            x = side;
        }
        switch (test->left_is_leaf * 2 + test->right_is_leaf) {
        case 0: JOIN(pick, BYTES)(test, x, to, 0, 0, n); break;
        case 1: JOIN(pick, BYTES)(test, x, to, 0, 1, n); break;
        case 2: JOIN(pick, BYTES)(test, x, to, 1, 0, n); break;
        default: JOIN(pick, BYTES)(test, x, to, 1, 1, n);
        }
        if (!test->is_root) continue;
        for (int32_t i = 0; i < n; i++) {
            Pairs pair = ((const Pairs *)slots)[i];
            ((Pairs *)even)[i] += pair << 16 >> 16;
            ((Pairs *)odd)[i] += pair >> 16;
        }
    }
}

#undef JOIN_
#undef JOIN
#undef LANES
#undef Lanes
#undef Pairs
#undef STRIDE
#undef BYTES
#undef FOLD
#undef FOR
