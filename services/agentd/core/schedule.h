/* schedule.h - when this node and the catalog are compared, and when changes are written (agent.md
 * 11.2). Pure: time comes in, randomness from a seed. */
#ifndef AGENT_SCHEDULE_H
#define AGENT_SCHEDULE_H

#include <stdbool.h>

#include "common/base/mono.h"
#include "common/base/random.h"

enum {
    AGENT_SYNC_MS = 60 * 1000,   /* a full sync follows after once to twice that, scaled */
    AGENT_RETRY_MS = 15 * 1000,  /* likewise, after a failure */
    AGENT_JOINED_MS = 3 * 1000,  /* at most that after a server has come, scaled */
    AGENT_FIRST_RETRY_MS = 1000, /* until the first has succeeded */
    AGENT_SCALE_MEMBERS = 128,   /* so many are served without scaling */
};

enum agent_due { AGENT_DUE_NOTHING, AGENT_DUE_CHANGES, AGENT_DUE_ALL };

struct agent_schedule {
    struct cu_random random;
    struct cu_mono full_at; /* of the next full sync */
    unsigned pauses;        /* nested */
    bool has_changes, has_succeeded, is_running, has_failed;
};

/* 1 for up to 128 members, then one more for each doubling. */
unsigned agent_sync_scale(size_t members);

/* The first full sync is due at once. */
void agent_schedule_init(struct agent_schedule *schedule, struct cu_mono now, uint64_t seed);

/* What is to be begun now; the caller does it and then tells one of the `done`s. Nothing while
 * something runs or is paused. */
enum agent_due agent_schedule_take(struct agent_schedule *schedule, struct cu_mono now);
void agent_schedule_full_done(struct agent_schedule *schedule, struct cu_mono now, bool good,
                              size_t members);
/* A failure is followed by a full sync after the time of a retry. */
void agent_schedule_changes_done(struct agent_schedule *schedule, struct cu_mono now, bool good,
                                 size_t members);

/* Something is out of sync. */
void agent_schedule_changed(struct agent_schedule *schedule);
/* A server can be reached again. */
void agent_schedule_server_came(struct agent_schedule *schedule, struct cu_mono now,
                                size_t members);
void agent_schedule_pause(struct agent_schedule *schedule);
void agent_schedule_resume(struct agent_schedule *schedule); /* changes are written then */

/* When to ask agent_schedule_take() again if nothing happens before; CU_MONO_NEVER: not by time. */
struct cu_mono agent_schedule_next(const struct agent_schedule *schedule);

#endif
