/* rig.h - one raft with a disk in memory, driven by hand; what it did last lies open. */
#ifndef TESTS_RAFT_RIG_H
#define TESTS_RAFT_RIG_H

#include <check.h>

#include "tests/lib/raft_disk.h"

enum { RIG_PEERS_MAX = 7 };

struct rig {
    struct raft *raft;
    struct raft_disk disk;
    struct cu_mono now;
    struct raft_actions actions; /* of the last rig_ call */
    uint64_t wall_ms, tag;
    bool holds_disk; /* persists wait until rig_sync() */
    uint64_t last_persist;
};

/* Servers are numbered from 1; all of `voters` stand in a configuration entry at index 1. */
struct rig_seed {
    const char *log;    /* terms from index 2 on: "1 1 2"; the configuration has term 1 */
    uint64_t term;      /* at least that of the log's end */
    unsigned voters;    /* 0: an empty server */
    unsigned self;      /* default 1 */
    unsigned vote;      /* 0: none */
    unsigned bootstrap; /* the set {1..n} to bootstrap */
    uint64_t trailing;
    bool is_unattached; /* else a catalogd with an empty state has attached */
    bool is_fresh;      /* else H has passed since the start */
};

struct raft_id rig_id(unsigned n);
struct raft_id rig_cluster(void);

void rig_open(struct rig *rig, const struct rig_seed *seed);
void rig_close(struct rig *rig);
void rig_crash(struct rig *rig, uint32_t kept); /* and start again */

void rig_step(struct rig *rig, struct raft_event event); /* now and wall are filled in */
void rig_wait(struct rig *rig, uint64_t ms);             /* with ticks at each deadline */
void rig_sync(struct rig *rig);                          /* all that waits on the disk */
struct raft_message rig_message(unsigned from, enum raft_message_kind kind, uint64_t term);
void rig_hear(struct rig *rig, const struct raft_message *message); /* copied; bodies are taken */
void rig_propose(struct rig *rig, const char *body);
void rig_read(struct rig *rig, enum raft_read_mode mode);
void rig_attach(struct rig *rig, uint64_t index, uint64_t term);
void rig_lead(struct rig *rig); /* peers 2.. grant, and take all entries */
void rig_ack(struct rig *rig, unsigned from, uint64_t index); /* of an append, in any state */
void rig_ack_round(struct rig *rig, unsigned from);           /* the newest heartbeat */

struct raft_status rig_status(const struct rig *rig);
/* The last one of that kind among the last call's actions, or NULL. */
const struct raft_message *rig_sent(const struct rig *rig, enum raft_message_kind kind);
const struct raft_action *rig_action(const struct rig *rig, enum raft_action_kind kind);
unsigned rig_count(const struct rig *rig, enum raft_message_kind kind);
bool rig_told(const struct rig *rig, enum raft_note note);

#endif
