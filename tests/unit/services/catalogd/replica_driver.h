/* replica_driver.h - a replica on a clock of the test's own: events in, actions looked at. */
#ifndef TESTS_REPLICA_DRIVER_H
#define TESTS_REPLICA_DRIVER_H

#include "services/catalogd/core/replica.h"

struct driver {
    struct catalog_replica *replica;
    struct catalog_actions out;
    uint64_t now_ms;
    struct catalog_id cluster;
    struct catalog_id proposer; /* of the last OPEN or PROPOSE */
};

struct driver driver_new(bool is_reader, uint64_t applied);
void driver_free(struct driver *d);

/* Steps at the driver's time; the actions of this step alone are in d->out. */
void driver_step(struct driver *d, struct catalog_event event);
void driver_tick_after(struct driver *d, uint64_t ms);
struct catalog_position driver_at(const struct driver *d, uint64_t index, uint64_t term);
struct cu_mono driver_deadline(const struct driver *d, uint64_t ms);

unsigned driver_count(const struct driver *d, enum catalog_action_kind kind);
/* The only action of its kind in the last step. */
const struct catalog_action *driver_only(const struct driver *d, enum catalog_action_kind kind);

void driver_connect(struct driver *d);                              /* connected and attached */
void driver_follow(struct driver *d, uint64_t last, uint64_t term); /* entries up to `last` */
void driver_apply(struct driver *d, uint64_t index, uint64_t term);
void driver_outcome(struct driver *d, enum catalog_fate fate, uint64_t seq);
void driver_open(struct driver *d); /* connected, attached, proposer open */
void driver_write(struct driver *d, uint64_t tag, uint64_t deadline_ms);
void driver_read(struct driver *d, uint64_t tag, enum catalog_read_mode mode, uint64_t deadline_ms);
void driver_refuse(struct driver *d, uint64_t seq, enum cu_err err);
void driver_lose(struct driver *d, uint64_t seq);

#endif
