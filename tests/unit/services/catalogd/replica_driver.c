#include "tests/unit/services/catalogd/replica_driver.h"

#include <check.h>
#include <string.h>

struct driver driver_new(bool is_reader, uint64_t applied)
{
    struct driver d = {.now_ms = 1000};
    memset(d.cluster.bytes, 7, sizeof(d.cluster.bytes));
    struct catalog_position at = applied ? driver_at(&d, applied, 1) : (struct catalog_position){0};
    d.replica = catalog_replica_new(&(struct catalog_replica_options){
        .now = driver_deadline(&d, 0),
        .seed = 42,
        .is_reader = is_reader,
        .applied = at,
        .durable = at,
    });
    return d;
}

void driver_free(struct driver *d)
{
    catalog_replica_free(d->replica);
    catalog_actions_deinit(&d->out);
}

struct cu_mono driver_deadline(const struct driver *d, uint64_t ms)
{
    return (struct cu_mono){(d->now_ms + ms) * 1000000u};
}

struct catalog_position driver_at(const struct driver *d, uint64_t index, uint64_t term)
{
    return (struct catalog_position){d->cluster, index, term};
}

void driver_step(struct driver *d, struct catalog_event event)
{
    d->out.count = 0;
    event.now = driver_deadline(d, 0);
    catalog_replica_step(d->replica, &event, &d->out);
    for (uint32_t i = 0; i < d->out.count; i++)
        if (d->out.items[i].kind == CATALOG_ACT_OPEN || d->out.items[i].kind == CATALOG_ACT_PROPOSE)
            d->proposer = d->out.items[i].proposer;
}

void driver_tick_after(struct driver *d, uint64_t ms)
{
    d->now_ms += ms;
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_TICK});
}

unsigned driver_count(const struct driver *d, enum catalog_action_kind kind)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < d->out.count; i++)
        count += d->out.items[i].kind == kind;
    return count;
}

const struct catalog_action *driver_only(const struct driver *d, enum catalog_action_kind kind)
{
    ck_assert_uint_eq(driver_count(d, kind), 1);
    for (uint32_t i = 0; i < d->out.count; i++)
        if (d->out.items[i].kind == kind)
            return &d->out.items[i];
    return NULL;
}

void driver_connect(struct driver *d)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_CONNECTED});
    (void)driver_only(d, CATALOG_ACT_ATTACH);
    driver_step(
        d, (struct catalog_event){.kind = CATALOG_EV_ATTACHED, .attached.cluster = d->cluster});
}

void driver_follow(struct driver *d, uint64_t last, uint64_t term)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_FOLLOWED,
                                          .followed = {.outcome = CATALOG_ENTRIES,
                                                       .last = driver_at(d, last, term),
                                                       .cluster = d->cluster,
                                                       .upto = last}});
}

void driver_apply(struct driver *d, uint64_t index, uint64_t term)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_APPLIED,
                                          .position = driver_at(d, index, term)});
}

void driver_outcome(struct driver *d, enum catalog_fate fate, uint64_t seq)
{
    static const Curia__Internal__V1__CommandResult result =
        CURIA__INTERNAL__V1__COMMAND_RESULT__INIT;
    struct catalog_outcome outcome = {.fate = fate, .proposer = d->proposer, .seq = seq};
    if (fate == CATALOG_APPLIED)
        outcome.result = &result;
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_OUTCOME, .outcome = outcome});
}

void driver_open(struct driver *d)
{
    driver_connect(d);
    (void)driver_only(d, CATALOG_ACT_OPEN);
    driver_outcome(d, CATALOG_OPENED, 0);
}

void driver_write(struct driver *d, uint64_t tag, uint64_t deadline_ms)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_WRITE,
                                          .tag = tag,
                                          .deadline = driver_deadline(d, deadline_ms)});
}

void driver_read(struct driver *d, uint64_t tag, enum catalog_read_mode mode, uint64_t deadline_ms)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_READ,
                                          .tag = tag,
                                          .mode = mode,
                                          .deadline = driver_deadline(d, deadline_ms)});
}

void driver_refuse(struct driver *d, uint64_t seq, enum cu_err err)
{
    driver_step(d, (struct catalog_event){
                       .kind = CATALOG_EV_PROPOSED,
                       .proposed = {.refused = &seq, .refused_err = &err, .refused_count = 1}});
}

void driver_lose(struct driver *d, uint64_t seq)
{
    driver_step(d, (struct catalog_event){.kind = CATALOG_EV_PROPOSED,
                                          .proposed = {.lost = &seq, .lost_count = 1}});
}
