/* duty.h - the timers of what only the catalogd on duty does (contracts 5): a table of (name,
 * period, start, run, stop), and when each row is due. Pure but for calling the rows. */
#ifndef CATALOG_DUTY_H
#define CATALOG_DUTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/mono.h"

enum {
    CATALOG_DUTIES_MAX = 16,
    /* No sign of life from our own loop for longer: every timer starts anew (contracts 5.3). */
    CATALOG_DUTY_GAP_MS = 1000,
    CATALOG_DUTY_TICK_MS = 500 /* so a quiet loop is not taken for a stopped one */
};

struct catalog_duty {
    const char *name;
    uint32_t period_ms;
    void (*start)(void *context); /* may be NULL, as stop */
    void (*run)(void *context);
    void (*stop)(void *context);
};

struct catalog_duties {
    const struct catalog_duty *rows;
    size_t count;
    void *context;
    bool is_on;
    struct cu_mono seen;
    struct cu_mono due[CATALOG_DUTIES_MAX];
};

/* `rows` and `context` are borrowed. */
void catalog_duties_init(struct catalog_duties *duties, const struct catalog_duty *rows,
                         size_t count, void *context);
void catalog_duties_begin(struct catalog_duties *duties, struct cu_mono now);
void catalog_duties_end(struct catalog_duties *duties);
/* Runs what is due, unless the loop has stood still for longer than the gap. */
void catalog_duties_tick(struct catalog_duties *duties, struct cu_mono now);
/* When to tick at the latest; CU_MONO_NEVER off duty. */
struct cu_mono catalog_duties_next(const struct catalog_duties *duties);

#endif
