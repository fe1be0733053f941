#include "services/catalogd/core/duty.h"

#include "common/base/assert.h"

void catalog_duties_init(struct catalog_duties *duties, const struct catalog_duty *rows,
                         size_t count, void *context)
{
    CU_ASSERT(count <= CATALOG_DUTIES_MAX);
    *duties = (struct catalog_duties){.rows = rows, .count = count, .context = context};
}

static void arm_all(struct catalog_duties *duties, struct cu_mono now)
{
    for (size_t i = 0; i < duties->count; i++)
        duties->due[i] = cu_mono_add_ms(now, duties->rows[i].period_ms);
}

void catalog_duties_begin(struct catalog_duties *duties, struct cu_mono now)
{
    duties->is_on = true;
    duties->seen = now;
    arm_all(duties, now);
    for (size_t i = 0; i < duties->count; i++)
        if (duties->rows[i].start)
            duties->rows[i].start(duties->context);
}

void catalog_duties_end(struct catalog_duties *duties)
{
    if (!duties->is_on)
        return;
    duties->is_on = false;
    for (size_t i = duties->count; i-- > 0;)
        if (duties->rows[i].stop)
            duties->rows[i].stop(duties->context);
}

void catalog_duties_tick(struct catalog_duties *duties, struct cu_mono now)
{
    if (!duties->is_on)
        return;
    bool was_away = cu_mono_ms_between(duties->seen, now) > CATALOG_DUTY_GAP_MS;
    duties->seen = now;
    if (was_away) {
        arm_all(duties, now);
        return;
    }
    for (size_t i = 0; i < duties->count; i++) {
        if (cu_mono_before(now, duties->due[i]))
            continue;
        duties->due[i] = cu_mono_add_ms(now, duties->rows[i].period_ms);
        duties->rows[i].run(duties->context);
    }
}

struct cu_mono catalog_duties_next(const struct catalog_duties *duties)
{
    if (!duties->is_on)
        return CU_MONO_NEVER;
    struct cu_mono next = cu_mono_add_ms(duties->seen, CATALOG_DUTY_TICK_MS);
    for (size_t i = 0; i < duties->count; i++)
        next = cu_mono_min(next, duties->due[i]);
    return next;
}
