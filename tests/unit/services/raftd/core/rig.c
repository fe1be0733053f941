#include "tests/unit/services/raftd/core/rig.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static uint64_t newest_round;       /* of the heartbeats that this test has seen */
static uint64_t newest_append[256]; /* to each peer */

struct raft_id rig_id(unsigned n)
{
    return (struct raft_id){{0, [15] = (uint8_t)n}};
}

struct raft_id rig_cluster(void)
{
    return (struct raft_id){{0xc1}};
}

static uint64_t incarnation_of(unsigned n)
{
    return 1000 + n;
}

static struct raft_configuration voters(unsigned count)
{
    struct raft_configuration set = {.index = 1, .count = count};
    for (unsigned i = 0; i < count; i++)
        set.servers[i] = (struct raft_server){
            .id = rig_id(i + 1), .incarnation = incarnation_of(i + 1), .is_voter = true};
    return set;
}

static void write_log(struct raft_disk *disk, const struct rig_seed *seed)
{
    struct raft_persist *persist = cu_alloc(sizeof *persist);
    struct raft_configuration_body body = {.configuration = voters(seed->voters),
                                           .cluster = rig_cluster()};
    persist->entries = cu_alloc(256 * sizeof *persist->entries);
    persist->entries[persist->entry_count++] =
        (struct raft_entry){.index = 1,
                            .term = 1,
                            .kind = RAFT_CONFIGURATION,
                            .body = raft_configuration_encode(&body)};
    const char *at = seed->log ? seed->log : "";
    for (char *end;; at = end) {
        uint64_t term = strtoull(at, &end, 10);
        if (end == at)
            break;
        persist->entries[persist->entry_count] = (struct raft_entry){
            .index = persist->entry_count + 1, .term = term, .kind = RAFT_COMMAND};
        persist->entry_count++;
    }
    raft_disk_write(disk, persist);
    raft_disk_sync(disk, UINT64_MAX);
}

static void start(struct rig *rig, const struct rig_seed *seed)
{
    struct raft_options options = {.self = rig_id(seed->self ? seed->self : 1),
                                   .timing = raft_timing_default,
                                   .store = raft_disk_store(&rig->disk),
                                   .seed = 7,
                                   .now = rig->now,
                                   .bootstrap_count = seed->bootstrap};
    for (unsigned i = 0; i < seed->bootstrap; i++)
        options.bootstrap[i] = rig_id(i + 1);
    struct raft_boot boot = raft_disk_boot(&rig->disk);
    boot.trailing = seed->trailing;
    rig->raft = raft_new(&options, &boot);
}

static struct rig_seed grown; /* of the open rig, for its restarts */

void rig_open(struct rig *rig, const struct rig_seed *seed)
{
    *rig = (struct rig){.now = {1000000000}, .wall_ms = 1600000000000};
    grown = *seed;
    newest_round = 0;
    rig->disk.incarnation = incarnation_of(seed->self ? seed->self : 1);
    if (seed->voters)
        write_log(&rig->disk, seed);
    const struct raft_entry *last = raft_disk_at(&rig->disk, raft_disk_last(&rig->disk));
    rig->disk.term = last && last->term > seed->term ? last->term : seed->term;
    rig->disk.vote = seed->vote ? rig_id(seed->vote) : (struct raft_id){{0}};
    start(rig, seed);
    if (!seed->is_fresh) /* no tick, so that no election starts by itself */
        rig->now = cu_mono_add_ms(rig->now, 2 * raft_timing_default.contact_ms);
    if (!seed->is_unattached)
        rig_attach(rig, 0, 0);
}

static void forget(struct rig *rig)
{
    raft_actions_deinit(&rig->actions);
}

void rig_close(struct rig *rig)
{
    forget(rig);
    raft_free(rig->raft);
    raft_disk_deinit(&rig->disk);
}

void rig_crash(struct rig *rig, uint32_t kept)
{
    forget(rig);
    raft_free(rig->raft);
    raft_disk_crash(&rig->disk, kept);
    start(rig, &grown);
}

/* ---- steps ---- */

static void take_persist(struct rig *rig, struct raft_action *action)
{
    rig->last_persist = action->persist->id;
    raft_disk_write(&rig->disk, action->persist);
    action->persist = NULL;
}

/* What the steps emit is kept; syncing may make more, after it. */
static void step(struct rig *rig, struct raft_event event)
{
    uint32_t at = rig->actions.count;
    event.now = rig->now;
    event.wall_ms = rig->wall_ms;
    raft_step(rig->raft, &event, &rig->actions);
    const char *broken = raft_check(rig->raft);
    ck_assert_msg(!broken, "%s", broken);
    for (; at < rig->actions.count; at++) {
        struct raft_action *action = &rig->actions.items[at];
        if (action->kind == RAFT_ACT_PERSIST)
            take_persist(rig, action);
        if (action->kind == RAFT_ACT_SEND && action->send->kind == RAFT_MSG_HEARTBEAT)
            newest_round = action->send->round;
        if (action->kind == RAFT_ACT_SEND && action->send->kind == RAFT_MSG_APPEND)
            newest_append[action->send->to.bytes[15]] = action->send->round;
    }
}

static void sync(struct rig *rig)
{
    while (rig->disk.waiting_count) {
        uint64_t id = rig->last_persist;
        raft_disk_sync(&rig->disk, id);
        step(rig, (struct raft_event){.kind = RAFT_EV_PERSISTED, .persist_id = id});
    }
}

void rig_step(struct rig *rig, struct raft_event event)
{
    forget(rig);
    step(rig, event);
    if (!rig->holds_disk)
        sync(rig);
}

void rig_sync(struct rig *rig)
{
    forget(rig);
    sync(rig);
}

void rig_wait(struct rig *rig, uint64_t ms)
{
    struct cu_mono end = cu_mono_add_ms(rig->now, ms);
    unsigned steps = 0;
    forget(rig);
    for (;;) {
        struct cu_mono at = raft_next_deadline(rig->raft);
        if (cu_mono_before(end, at))
            break;
        if (cu_mono_before(rig->now, at))
            rig->now = at;
        step(rig, (struct raft_event){.kind = RAFT_EV_TICK});
        if (!rig->holds_disk)
            sync(rig);
        ck_assert_msg(++steps < 100000, "the deadline stands still");
    }
    rig->now = end;
}

struct raft_message rig_message(unsigned from, enum raft_message_kind kind, uint64_t term)
{
    return (struct raft_message){.kind = kind,
                                 .from = rig_id(from),
                                 .to = rig_id(1),
                                 .incarnation = incarnation_of(from),
                                 .cluster = rig_cluster(),
                                 .term = term,
                                 .call = 77};
}

void rig_hear(struct rig *rig, const struct raft_message *message)
{
    rig_step(rig, (struct raft_event){.kind = RAFT_EV_MESSAGE,
                                      .message = cu_memdup(message, sizeof *message)});
}

void rig_propose(struct rig *rig, const char *body)
{
    struct raft_proposal item = {.proposer = {{0xab}},
                                 .seq = ++rig->tag,
                                 .level = 1,
                                 .kind = RAFT_COMMAND,
                                 .body = raft_body_new(cu_bytes_of(body))};
    rig_step(rig,
             (struct raft_event){.kind = RAFT_EV_PROPOSE, .tag = rig->tag, .propose = {&item, 1}});
}

void rig_read(struct rig *rig, enum raft_read_mode mode)
{
    rig_step(rig,
             (struct raft_event){.kind = RAFT_EV_READ_INDEX, .tag = ++rig->tag, .read_mode = mode});
}

void rig_attach(struct rig *rig, uint64_t index, uint64_t term)
{
    struct raft_header header = {.position = {.index = index, .term = term}};
    if (index) {
        header.position.cluster = rig_cluster();
        header.configuration = voters(grown.voters ? grown.voters : 3);
    }
    rig_step(rig,
             (struct raft_event){.kind = RAFT_EV_ATTACH, .tag = ++rig->tag, .attach = &header});
}

void rig_ack(struct rig *rig, unsigned from, uint64_t index)
{
    struct raft_message m = rig_message(from, RAFT_MSG_APPEND_ANSWER, rig_status(rig).term);
    m.ok = true;
    m.index = index;
    m.round = newest_append[from];
    rig_hear(rig, &m);
}

void rig_ack_round(struct rig *rig, unsigned from)
{
    struct raft_message m = rig_message(from, RAFT_MSG_HEARTBEAT_ANSWER, rig_status(rig).term);
    m.ok = m.well = true;
    m.round = newest_round;
    rig_hear(rig, &m);
}

void rig_lead(struct rig *rig)
{
    while (!rig_sent(rig, RAFT_MSG_PREVOTE))
        rig_wait(rig, 10);
    unsigned quorum = grown.voters / 2;
    const struct raft_message *asked = rig_sent(rig, RAFT_MSG_PREVOTE);
    struct raft_message pre = rig_message(2, RAFT_MSG_PREVOTE_ANSWER, asked->term);
    pre.ok = true;
    pre.round = asked->round;
    for (unsigned i = 0; i < quorum; i++) {
        pre.from = rig_id(2 + i);
        pre.incarnation = incarnation_of(2 + i);
        rig_hear(rig, &pre);
    }
    for (unsigned i = 0; i < quorum; i++) {
        struct raft_message m = rig_message(2 + i, RAFT_MSG_VOTE_ANSWER, rig_status(rig).term);
        m.ok = true;
        m.round = pre.round + 1;
        rig_hear(rig, &m);
    }
    ck_assert_int_eq(rig_status(rig).role, RAFT_LEADER);
    for (unsigned i = 2; i < 2 * grown.voters; i++) /* twice: the commit is told in a second one */
        rig_ack(rig, 2 + i % (grown.voters - 1), rig_status(rig).last_index);
    for (unsigned i = 2; i <= grown.voters; i++)
        rig_ack_round(rig, i);
}

/* ---- questions ---- */

struct raft_status rig_status(const struct rig *rig)
{
    struct raft_status status;
    raft_status(rig->raft, rig->now, &status);
    return status;
}

const struct raft_action *rig_action(const struct rig *rig, enum raft_action_kind kind)
{
    for (uint32_t i = rig->actions.count; i-- > 0;) {
        if (rig->actions.items[i].kind == kind)
            return &rig->actions.items[i];
    }
    return NULL;
}

const struct raft_message *rig_sent(const struct rig *rig, enum raft_message_kind kind)
{
    for (uint32_t i = rig->actions.count; i-- > 0;) {
        const struct raft_action *action = &rig->actions.items[i];
        if (action->kind == RAFT_ACT_SEND && action->send->kind == kind)
            return action->send;
    }
    return NULL;
}

unsigned rig_count(const struct rig *rig, enum raft_message_kind kind)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < rig->actions.count; i++)
        count +=
            rig->actions.items[i].kind == RAFT_ACT_SEND && rig->actions.items[i].send->kind == kind;
    return count;
}

bool rig_told(const struct rig *rig, enum raft_note note)
{
    for (uint32_t i = 0; i < rig->actions.count; i++) {
        if (rig->actions.items[i].kind == RAFT_ACT_NOTE && rig->actions.items[i].note.note == note)
            return true;
    }
    return false;
}
