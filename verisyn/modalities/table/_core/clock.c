/* The time, for fits within a budget; apart, because its headers need more than C99. */
#ifdef _WIN32
#include <windows.h>

double seconds_now(void) { return (double)GetTickCount64() / 1000; }
#else
#define _POSIX_C_SOURCE 199309L
#include <time.h>

double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
#endif
