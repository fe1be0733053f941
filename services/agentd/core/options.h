/* options.h - what a read asks for beside its subject: mode, index, wait (http-api.md 1.8). */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdint.h>

#include "services/agentd/core/fault.h"
#include "services/agentd/core/query.h"

enum agent_mode { AGENT_DEFAULT, AGENT_CONSISTENT, AGENT_STALE, AGENT_MODE_COUNT };

struct agent_waits {
    uint64_t default_ms, max_ms;
};

struct agent_options {
    enum agent_mode mode;
    uint64_t index;        /* 0: answer at once */
    uint64_t wait_ms;      /* within the limits; meaningful with index */
    uint64_t max_stale_ms; /* 0: any age will do */
};

/* `cache_control` is the header or NULL. False: a 400 with the reference's sentence. */
bool agent_options_parse(const struct agent_query *query, const char *cache_control,
                         const struct agent_waits *waits, struct agent_options *ret_options,
                         struct agent_fault *fault);

/* A number as `flags`, `cas` and `index` have it. False: `strconv.ParseUint: parsing "x": ...` with
 * status 500. */
bool agent_number_parse(struct cu_bytes text, uint64_t *ret_number, struct agent_fault *fault);

#endif
