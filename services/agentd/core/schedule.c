#include "services/agentd/core/schedule.h"

#include "common/base/assert.h"

unsigned agent_sync_scale(size_t members)
{
    unsigned scale = 1;
    for (size_t limit = AGENT_SCALE_MEMBERS; members > limit; limit *= 2)
        scale++;
    return scale;
}

/* `ms`, and up to `spread_ms` for each step of the scale. */
static struct cu_mono later(struct agent_schedule *s, struct cu_mono now, uint64_t ms,
                            uint64_t spread_ms, size_t members)
{
    uint64_t spread = spread_ms * agent_sync_scale(members);
    return cu_mono_add_ms(now, ms + cu_random_below(&s->random, spread));
}

void agent_schedule_init(struct agent_schedule *s, struct cu_mono now, uint64_t seed)
{
    *s = (struct agent_schedule){.random = {seed}, .full_at = now};
}

enum agent_due agent_schedule_take(struct agent_schedule *s, struct cu_mono now)
{
    if (s->is_running || s->pauses)
        return AGENT_DUE_NOTHING;
    bool all = !cu_mono_before(now, s->full_at);
    /* Before a first look at the catalog nothing is known to be out of sync. */
    if (!all && !(s->has_changes && s->has_succeeded))
        return AGENT_DUE_NOTHING;
    s->is_running = true;
    s->has_changes = false;
    return all ? AGENT_DUE_ALL : AGENT_DUE_CHANGES;
}

static void failed(struct agent_schedule *s, struct cu_mono now, size_t members)
{
    s->has_failed = true;
    s->has_changes = false; /* a full sync finds them */
    s->full_at = s->has_succeeded
                     ? later(s, now, AGENT_RETRY_MS, AGENT_RETRY_MS, members)
                     : later(s, now, AGENT_FIRST_RETRY_MS, AGENT_FIRST_RETRY_MS, members);
}

void agent_schedule_full_done(struct agent_schedule *s, struct cu_mono now, bool good,
                              size_t members)
{
    CU_ASSERT(s->is_running);
    s->is_running = false;
    if (!good) {
        failed(s, now, members);
        return;
    }
    s->has_succeeded = true;
    s->has_failed = false;
    s->full_at = later(s, now, AGENT_SYNC_MS, AGENT_SYNC_MS, members);
}

void agent_schedule_changes_done(struct agent_schedule *s, struct cu_mono now, bool good,
                                 size_t members)
{
    CU_ASSERT(s->is_running);
    s->is_running = false;
    if (!good)
        failed(s, now, members);
}

void agent_schedule_changed(struct agent_schedule *s)
{
    s->has_changes = true;
}

void agent_schedule_server_came(struct agent_schedule *s, struct cu_mono now, size_t members)
{
    s->full_at = cu_mono_min(s->full_at, later(s, now, 0, AGENT_JOINED_MS, members));
}

void agent_schedule_pause(struct agent_schedule *s)
{
    s->pauses++;
}

void agent_schedule_resume(struct agent_schedule *s)
{
    CU_ASSERT(s->pauses);
    s->pauses--;
    s->has_changes = true;
}

struct cu_mono agent_schedule_next(const struct agent_schedule *s)
{
    return s->is_running || s->pauses ? CU_MONO_NEVER : s->full_at;
}
