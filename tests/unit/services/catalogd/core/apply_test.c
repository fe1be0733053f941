#include "services/catalogd/core/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "services/catalogd/core/key.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

typedef Curia__Internal__V1__Command command_t;
typedef Curia__Internal__V1__Entry entry_t;

static entry_t entry_of(struct state *state, ProtobufCBinaryData body)
{
    entry_t entry = CURIA__INTERNAL__V1__ENTRY__INIT;
    entry.body = body;
    entry.proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, state->proposer.bytes};
    return entry;
}

static ProtobufCBinaryData pack(struct state *state, const ProtobufCMessage *message)
{
    uint8_t *bytes = cu_arena_alloc(state->arena, protobuf_c_message_get_packed_size(message) + 1);
    return (ProtobufCBinaryData){protobuf_c_message_pack(message, bytes), bytes};
}

static ProtobufCBinaryData pack_set(struct state *state, const char *key)
{
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    kv.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    command.kv = &kv;
    return pack(state, &command.base);
}

static enum catalog_fate fate_of(struct state *state, entry_t entry)
{
    struct catalog_outcome outcome;
    ck_assert_int_eq(state_entry(state, entry, &outcome), CU_OK);
    ck_assert_int_eq(outcome.fate == CATALOG_APPLIED, outcome.result != NULL);
    return outcome.fate;
}

STATE_TEST(every_kind_of_entry_moves_the_position)
{
    for (uint32_t kind = 1; kind <= 4; kind++) {
        uint64_t index = state_index(state);
        entry_t entry = entry_of(state, (ProtobufCBinaryData){0, NULL});
        entry.kind = kind;
        entry.term = 7;
        (void)fate_of(state, entry);
        struct catalog_position position = catalog_store_position(state->store);
        ck_assert(position.index == index + 1 && position.term == 7);
    }
}

STATE_TEST(a_proposal_takes_effect_once_and_says_what_became_of_it_contracts_3_3)
{
    entry_t entry = entry_of(state, pack_set(state, "k"));
    entry.seq = 5000;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_APPLIED);
    uint64_t index = state_get(state, "k")->modify_index;
    state->seq = 5001;
    (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k"});
    ck_assert_int_eq(fate_of(state, entry), CATALOG_SEEN);
    ck_assert_ptr_null(state_get(state, "k"));
    entry.seq = 5000 - CATALOG_WINDOW_SEQS;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_TOO_OLD);
    uint8_t stranger[CATALOG_ID_BYTES] = {9};
    entry.proposer.data = stranger;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_DROPPED);
    entry.proposer = (ProtobufCBinaryData){3, stranger};
    ck_assert_int_eq(fate_of(state, entry), CATALOG_DROPPED);
    ck_assert_ptr_null(state_get(state, "k"));
    ck_assert_uint_gt(state_index(state), index);
}

STATE_TEST(windows_outlive_a_restart)
{
    entry_t entry = entry_of(state, pack_set(state, "k"));
    entry.seq = 3;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_APPLIED);
    state_reopen(state);
    ck_assert_int_eq(fate_of(state, entry), CATALOG_SEEN);
    entry.seq = 4;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_APPLIED);
}

static struct catalog_outcome open_other(struct state *state, uint8_t number,
                                         uint64_t applied_index)
{
    uint8_t id[CATALOG_ID_BYTES] = {number, 99};
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    open.proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, id};
    open.applied_index = applied_index;
    command.open = &open;
    entry_t entry = entry_of(state, pack(state, &command.base));
    struct catalog_outcome outcome;
    ck_assert_int_eq(state_entry(state, entry, &outcome), CU_OK);
    ck_assert_int_eq(memcmp(outcome.proposer.bytes, id, sizeof id), 0);
    return outcome;
}

STATE_TEST(an_open_older_than_a_drop_is_refused_also_after_a_restart)
{
    for (unsigned n = 0; n < CATALOG_PROPOSERS_MAX; n++)
        ck_assert_int_eq(open_other(state, (uint8_t)n, state_index(state)).fate, CATALOG_OPENED);
    uint64_t dropped = state_index(state); /* by the last of them */
    state_reopen(state);
    ck_assert_int_eq(open_other(state, 200, dropped - 1).fate, CATALOG_OPEN_REFUSED);
    ck_assert_int_eq(open_other(state, 200, dropped).fate, CATALOG_OPENED);
}

STATE_TEST(what_was_checked_and_has_changed_is_retry_and_marks_the_seq_contracts_3_4)
{
    state_set(state, "k", "1");
    uint64_t index = state_index(state);
    struct cu_bytes key = catalog_key_of(state->arena, cu_bytes_of("k"));
    const struct {
        const char *table;
        struct cu_bytes key;
        uint64_t modify_index;
        enum catalog_fate want;
    } cases[] = {
        {"kv", key, index, CATALOG_APPLIED},
        {"kv", key, index - 1, CATALOG_RETRY},
        {"kv", catalog_key_of(state->arena, cu_bytes_of("none")), 0, CATALOG_APPLIED},
        {"kv", catalog_key_of(state->arena, cu_bytes_of("none")), 1, CATALOG_RETRY},
        {"settings", {NULL, 0}, 0, CATALOG_APPLIED},
        {"settings", {NULL, 0}, 1, CATALOG_RETRY},
        {"of-a-later-version", {NULL, 0}, 0, CATALOG_RETRY},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
        Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
        Curia__Internal__V1__Checked checked = CURIA__INTERNAL__V1__CHECKED__INIT, *all = &checked;
        kv.key = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "w"};
        checked.table = (char *)(uintptr_t)cases[i].table;
        checked.key =
            (ProtobufCBinaryData){cases[i].key.len, (uint8_t *)(uintptr_t)cases[i].key.data};
        checked.modify_index = cases[i].modify_index;
        command.kv = &kv;
        command.checked = &all;
        command.n_checked = 1;
        entry_t entry = entry_of(state, pack(state, &command.base));
        entry.seq = 100 + i;
        ck_assert_int_eq(fate_of(state, entry), cases[i].want);
        ck_assert_int_eq(state_get(state, "w") != NULL, cases[i].want == CATALOG_APPLIED);
        ck_assert_int_eq(fate_of(state, entry), CATALOG_SEEN);
        (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "w"});
    }
}

STATE_TEST(stops_before_what_it_does_not_know_and_changes_nothing_contracts_6_6)
{
    static const uint8_t unknown_member[] = {0xf8, 0x07, 1};         /* field 127 of the command */
    static const uint8_t unknown_in_kv[] = {0x5a, 3, 0xf8, 0x07, 1}; /* and of its kv */
    static const uint8_t unknown_in_txn[] = {0x62, 5, 0x0a, 3, 0xf8, 0x07, 1};
    const struct {
        ProtobufCBinaryData body;
        uint32_t level, kind;
    } cases[] = {
        {pack_set(state, "k"), CATALOG_LEVEL + 1, 1},
        {pack_set(state, "k"), CATALOG_LEVEL, 5},
        {{sizeof unknown_member, (uint8_t *)(uintptr_t)unknown_member}, 1, 1},
        {{sizeof unknown_in_kv, (uint8_t *)(uintptr_t)unknown_in_kv}, 1, 1},
        {{sizeof unknown_in_txn, (uint8_t *)(uintptr_t)unknown_in_txn}, 1, 1},
        {{sizeof unknown_member, (uint8_t *)(uintptr_t)unknown_member}, 1, 3},
    };
    uint64_t index = state_index(state);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        entry_t entry = entry_of(state, cases[i].body);
        entry.level = cases[i].level;
        entry.kind = cases[i].kind;
        entry.seq = 50;
        struct catalog_outcome outcome;
        ck_assert_int_eq(state_entry(state, entry, &outcome), CU_E_NOT_READY);
        ck_assert_uint_eq(state_index(state), index);
    }
    entry_t entry = entry_of(state, pack_set(state, "k"));
    entry.seq = 50; /* was not marked by any of them */
    ck_assert_int_eq(fate_of(state, entry), CATALOG_APPLIED);
}

STATE_TEST(bytes_that_are_no_command_are_refused_and_mark_the_seq)
{
    static const char *const bodies[] = {"", "\xff", "\x5a\x7f", "\x5a\x00\x62\x00"};
    static const size_t lens[] = {0, 1, 2, 4}; /* the last has two bodies */
    for (size_t i = 0; i < CU_COUNT(bodies); i++) {
        entry_t entry =
            entry_of(state, (ProtobufCBinaryData){lens[i], (uint8_t *)(uintptr_t)bodies[i]});
        entry.seq = 10 + i;
        struct catalog_outcome outcome;
        ck_assert_int_eq(state_entry(state, entry, &outcome), CU_OK);
        ck_assert_int_eq(outcome.fate, CATALOG_APPLIED);
        ck_assert_uint_eq(outcome.result->error, CU_E_INVALID);
        ck_assert_int_eq(fate_of(state, entry), CATALOG_SEEN);
    }
}

/* ---- configurations ---- */

static void configure(struct state *state, uint8_t cluster, uint64_t prior_last_index)
{
    uint8_t id[CATALOG_ID_BYTES] = {cluster};
    Curia__Internal__V1__ConfigurationBody body = CURIA__INTERNAL__V1__CONFIGURATION_BODY__INIT;
    Curia__Internal__V1__Configuration configuration = CURIA__INTERNAL__V1__CONFIGURATION__INIT;
    Curia__Internal__V1__Server server = CURIA__INTERNAL__V1__SERVER__INIT, *servers = &server;
    server.id = (char *)(uintptr_t) "one";
    configuration.servers = &servers;
    configuration.n_servers = 1;
    body.configuration = &configuration;
    body.prior_last_index = prior_last_index;
    if (cluster)
        body.cluster_id = (ProtobufCBinaryData){CATALOG_ID_BYTES, id};
    entry_t entry = entry_of(state, pack(state, &body.base));
    entry.kind = 3;
    ck_assert_int_eq(fate_of(state, entry), CATALOG_NO_COMMAND);
}

static void check_header(struct state *state, uint8_t cluster, uint64_t configuration_index,
                         uint32_t lineage_count)
{
    struct catalog_header header;
    catalog_store_header(state->store, &header);
    Curia__Internal__V1__Configuration *got = curia__internal__v1__configuration__unpack(
        NULL, header.configuration.len, header.configuration.data);
    ck_assert_uint_eq(header.position.cluster.bytes[0], cluster);
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_eq(got->index, configuration_index);
    ck_assert_str_eq(got->servers[0]->id, "one");
    ck_assert_uint_eq(header.lineage_count, lineage_count);
    curia__internal__v1__configuration__free_unpacked(got, NULL);
}

STATE_TEST(the_header_is_the_last_configuration_and_outlives_a_restart_contracts_3_6)
{
    configure(state, 5, 0);
    check_header(state, 5, 2, 0);
    configure(state, 0, 0);
    check_header(state, 5, 3, 0);
    state_reopen(state);
    check_header(state, 5, 3, 0);
    ck_assert_uint_eq(catalog_store_index_base(state->store), 0);
    ck_assert_uint_eq(catalog_store_epoch(state->store), 1);
}

STATE_TEST(another_cluster_id_is_a_recovery_that_raises_every_index_contracts_6_4)
{
    configure(state, 5, 0);
    state_set(state, "k", "1");
    uint64_t shown = state_index(state);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);
    configure(state, 6, 3);
    ck_assert_uint_eq(state_index(state), shown + 1 + (1 << 24));
    ck_assert_uint_eq(catalog_store_epoch(state->store), 2);
    ck_assert_uint_eq(catalog_store_floor_index(state->store), state_index(state));
    ck_assert_uint_eq(state_index_of(state, "k"), state_index(state));
    ck_assert_uint_eq(state_index_of(state, "none"), state_index(state));
    check_header(state, 6, shown + 1, 1);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, CATALOG_TABLE_COUNT);
    ck_assert(wakes.items[0].is_prefix && wakes.items[0].key.len == 0);
    catalog_wakes_deinit(&wakes);
    state_set(state, "k", "2");
    ck_assert_uint_eq(state_get(state, "k")->modify_index, shown + 2 + (1 << 24));
    for (uint8_t n = 7; n < 7 + CATALOG_LINEAGE_MAX; n++) /* the 17th forgets the first */
        configure(state, n, n);
    struct catalog_header header;
    catalog_store_header(state->store, &header);
    ck_assert_uint_eq(header.lineage_count, CATALOG_LINEAGE_MAX);
    ck_assert_uint_eq(header.lineage[0].cluster.bytes[0], 6);
}

/* ---- two states ---- */

static struct kv random_kv(struct cu_random *random, char key[8], char value[8])
{
    (void)snprintf(key, 8, "%c/%c", "abc"[cu_random_below(random, 3)],
                   "xyz"[cu_random_below(random, 3)]);
    (void)snprintf(value, 8, "%d", (int)cu_random_below(random, 3));
    struct kv kv = {.verb = (enum catalog_kv_verb)cu_random_below(random, CATALOG_KV_VERB_COUNT),
                    .key = key,
                    .value = value,
                    .session = "s",
                    .index = cu_random_below(random, 60)};
    if (kv.verb == CATALOG_KV_DELETE_TREE && cu_random_below(random, 2))
        key[1] = '\0';
    return kv;
}

static const char *any(struct cu_random *random, const char *const *words, size_t count)
{
    return words[cu_random_below(random, count)];
}

/* Few names, so that they meet; the ids let nodes be renamed and refused. */
static struct reg random_registration(struct cu_random *random)
{
    static const char *const nodes[] = {"n", "N", "m"}, *const names[] = {NULL, "web", "db", "Web"},
                             *const ids[] = {NULL, "11111111-1111-1111-1111-111111111111",
                                             "22222222-2222-2222-2222-222222222222"},
                             *const checks[] = {NULL, "serfHealth", "c"},
                             *const statuses[] = {"passing", "warning", "critical"},
                             *const kinds[] = {NULL, "connect-proxy", "odd"};
    return (struct reg){.node = any(random, nodes, 3),
                        .id = any(random, ids, 3),
                        .service_id = any(random, names + 1, 3),
                        .service = any(random, names, 4),
                        .kind = any(random, kinds, 3),
                        .destination = any(random, names, 4),
                        .port = 1,
                        .is_native = cu_random_below(random, 4) == 0,
                        .check = any(random, checks, 3),
                        .check_service = any(random, names, 4),
                        .status = any(random, statuses, 3),
                        .output = any(random, statuses, 3)};
}

static void random_catalog_step(struct state *const states[], size_t count,
                                struct cu_random *random)
{
    struct reg reg = random_registration(random);
    bool goes = cu_random_below(random, 4) == 0;
    for (size_t i = 0; i < count; i++) {
        if (goes)
            state_deregister(states[i], reg.node, reg.service, reg.check);
        else
            (void)state_register(states[i], &reg); /* what it says is compared by the hash */
    }
}

static void random_step(struct state *const states[], size_t count, struct cu_random *random)
{
    if (cu_random_below(random, 2)) {
        random_catalog_step(states, count, random);
        return;
    }
    enum { OPS = 5 };
    struct kv ops[OPS];
    static char keys[OPS][8], values[OPS][8];
    for (size_t i = 0; i < OPS; i++)
        ops[i] = random_kv(random, keys[i], values[i]);
    size_t ops_count = cu_random_below(random, OPS + 1);
    bool is_single = cu_random_below(random, 2);
    bool reopens = cu_random_below(random, 20) == 0;
    uint64_t lease_ms = states[0]->lease_ms + cu_random_below(random, 5000);
    for (size_t i = 0; i < count; i++) {
        states[i]->lease_ms = lease_ms;
        if (is_single)
            (void)state_kv(states[i], &ops[0]); /* what it says is compared by the hash */
        else
            (void)state_txn(states[i], ops, ops_count);
        if (reopens && i > 0)
            state_reopen(states[i]);
    }
}

/* The backends, all but the first restarted now and then, stand for replicas. */
START_TEST(replicas_have_equal_hashes_at_every_index_and_the_hash_is_that_of_the_rows)
{
    struct state *states[] = {state_new(STATE_MEMORY), state_new(STATE_SQLITE),
                              state_new(STATE_MEMORY), state_new(STATE_OVERLAY)};
    struct cu_random random = {suite_seed()};
    for (int step = 0; step < 3000; step++) {
        random_step(states, CU_COUNT(states), &random);
        struct cu_u128 want = catalog_store_hash(states[0]->store);
        for (size_t i = 1; i < CU_COUNT(states); i++) {
            struct cu_u128 got = catalog_store_hash(states[i]->store);
            ck_assert(got.lo == want.lo && got.hi == want.hi);
            ck_assert_mem_eq(states[i]->store->bookmark.table_index,
                             states[0]->store->bookmark.table_index,
                             sizeof states[0]->store->bookmark.table_index);
        }
        if (step % 100 == 0)
            for (size_t i = 0; i < CU_COUNT(states); i++) {
                struct cu_u128 sum = state_sum(states[i]);
                ck_assert(sum.lo == want.lo && sum.hi == want.hi);
                cu_arena_reset(states[i]->arena);
            }
    }
    for (size_t i = 0; i < CU_COUNT(states); i++)
        state_free(states[i]);
}
END_TEST

/* ---- failing backends ---- */

static enum cu_err run_script(struct memory_backend *memory, struct cu_arena *arena)
{
    struct catalog_store *store;
    enum cu_err err = catalog_store_open(memory_backend_get(memory), &store, NULL);
    if (err)
        return err;
    struct state state = {.store = store,
                          .arena = arena,
                          .backend = memory_backend_get(memory),
                          .lease_ms = 1000,
                          .wall_ms = 1,
                          .level = 1};
    uint8_t id[CATALOG_ID_BYTES] = {1};
    memcpy(state.proposer.bytes, id, sizeof id);
    command_t commands[5];
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    Curia__Internal__V1__KvCommand set = CURIA__INTERNAL__V1__KV_COMMAND__INIT, tree, *ops[2];
    Curia__Internal__V1__TxnCommand txn = CURIA__INTERNAL__V1__TXN_COMMAND__INIT;
    Curia__Internal__V1__ReapTombstones reap = CURIA__INTERNAL__V1__REAP_TOMBSTONES__INIT;
    static uint8_t value[8192];
    open.proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, id};
    set.key = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "k"};
    set.value = (ProtobufCBinaryData){sizeof value, value};
    tree = set;
    tree.verb = CATALOG_KV_DELETE_TREE;
    ops[0] = &set;
    ops[1] = &tree;
    txn.kv = ops;
    txn.n_kv = 2;
    reap.before_lease_ms = 5000;
    for (size_t i = 0; i < CU_COUNT(commands); i++)
        curia__internal__v1__command__init(&commands[i]);
    commands[0].open = &open;
    commands[1].kv = &set;
    commands[2].kv = &tree;
    commands[3].txn = &txn;
    commands[4].reap_tombstones = &reap;
    for (size_t i = 0; !err && i < CU_COUNT(commands); i++) {
        entry_t entry = entry_of(&state, pack(&state, &commands[i].base));
        struct catalog_outcome outcome;
        entry.seq = i;
        err = state_entry(&state, entry, &outcome);
    }
    if (!err)
        err = catalog_store_flush(store);
    catalog_store_free(store);
    return err;
}

START_TEST(every_failing_call_of_the_backend_is_reported)
{
    for (unsigned n = 1;; n++) {
        struct fault fault = {.at = n};
        struct memory_backend *memory = memory_backend_new(&fault);
        struct cu_arena *arena = cu_arena_new(1 << 20);
        enum cu_err err = run_script(memory, arena);
        cu_arena_free(arena);
        memory_backend_free(memory);
        if (!fault_fired(&fault)) {
            ck_assert_int_eq(err, CU_OK);
            ck_assert_uint_gt(n, 80); /* of opening alone there are 67 */
            return;
        }
        ck_assert_int_eq(err, CU_E_IO);
    }
}
END_TEST

SUITE_MAIN("catalogd/core/apply", every_kind_of_entry_moves_the_position,
           a_proposal_takes_effect_once_and_says_what_became_of_it_contracts_3_3,
           windows_outlive_a_restart, an_open_older_than_a_drop_is_refused_also_after_a_restart,
           what_was_checked_and_has_changed_is_retry_and_marks_the_seq_contracts_3_4,
           stops_before_what_it_does_not_know_and_changes_nothing_contracts_6_6,
           bytes_that_are_no_command_are_refused_and_mark_the_seq,
           the_header_is_the_last_configuration_and_outlives_a_restart_contracts_3_6,
           another_cluster_id_is_a_recovery_that_raises_every_index_contracts_6_4,
           replicas_have_equal_hashes_at_every_index_and_the_hash_is_that_of_the_rows,
           every_failing_call_of_the_backend_is_reported)
