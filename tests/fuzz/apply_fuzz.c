/* apply_fuzz.c - apply is total: whatever bytes an entry holds, it moves the position or stops
 * before it, and two replicas agree, however little memory one of them has for answers. */
#include <stdlib.h>
#include <string.h>

#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/kv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/memory_backend.h"

enum { ANSWER_BYTES = 64 * 1024 * 1024, LITTLE_BYTES = 64 };

struct replica {
    struct memory_backend *memory;
    struct catalog_store *store;
    struct cu_arena *arena;
    uint64_t seq;
};

static uint8_t proposer[CATALOG_ID_BYTES] = {1, 2, 3};

static void must(bool claim)
{
    if (!claim)
        abort();
}

static enum cu_err apply(struct replica *r, uint32_t kind, const uint8_t *body, size_t len)
{
    Curia__Internal__V1__Entry entry = CURIA__INTERNAL__V1__ENTRY__INIT;
    struct catalog_outcome outcome;
    entry.index = catalog_store_position(r->store).index + 1;
    entry.term = entry.level = 1;
    entry.kind = kind;
    entry.lease_ms = 1000;
    entry.seq = ++r->seq;
    entry.proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    entry.body = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)body};
    enum cu_err err = catalog_apply(r->store, &entry, r->arena, &outcome, NULL);
    must(err == CU_OK || err == CU_E_NOT_READY);
    must(catalog_store_position(r->store).index == entry.index - (err != CU_OK));
    must(err || (outcome.fate == CATALOG_APPLIED) == (outcome.result != NULL));
    return err;
}

static void apply_message(struct replica *r, const Curia__Internal__V1__Command *command)
{
    uint8_t body[256];
    must(curia__internal__v1__command__get_packed_size(command) <= sizeof body);
    must(apply(r, 1, body, curia__internal__v1__command__pack(command, body)) == CU_OK);
}

static void set_key(struct replica *r, char key, uint32_t verb)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    kv.verb = verb;
    kv.key = kv.value = (ProtobufCBinaryData){1, (uint8_t *)&key};
    command.kv = &kv;
    apply_message(r, &command);
}

/* A node that gossip holds for alive, a service on it and a check of that. */
static void set_node(struct replica *r)
{
    static char node_name[] = "n1", id[] = "11111111-1111-1111-1111-111111111111",
                address[] = "10.0.0.1", web[] = "web", serf[] = "serfHealth", passing[] = "passing",
                check_id[] = "c";
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__RegisterCommand body = CURIA__INTERNAL__V1__REGISTER_COMMAND__INIT;
    Curia__V1__Node node = CURIA__V1__NODE__INIT;
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    Curia__V1__Check checks[] = {CURIA__V1__CHECK__INIT, CURIA__V1__CHECK__INIT};
    Curia__V1__Check *list[] = {&checks[0], &checks[1]};
    node.node = node_name;
    node.id = id;
    node.address = address;
    service.service = web;
    checks[0].check_id = serf;
    checks[0].status = passing;
    checks[1].check_id = check_id;
    checks[1].service_id = web;
    body.node = &node;
    body.service = &service;
    body.checks = list;
    body.n_checks = 2;
    command.register_node = &body;
    apply_message(r, &command);
}

/* What there always is of access control, and a token that is not anonymous. */
static void set_acls(struct replica *r)
{
    static char secret[] = "master", accessor[] = "11111111-2222-4222-8222-222222222222";
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__AclBuiltinsCommand body = CURIA__INTERNAL__V1__ACL_BUILTINS_COMMAND__INIT;
    body.master_secret_id = secret;
    body.master_accessor_id = accessor;
    command.acl_builtins = &body;
    apply_message(r, &command);
}

static struct replica replica_new(size_t answer_bytes)
{
    struct replica r = {.memory = memory_backend_new(NULL), .arena = cu_arena_new(answer_bytes)};
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    must(catalog_store_open(memory_backend_get(r.memory), &r.store, NULL) == CU_OK);
    open.proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    command.open = &open;
    apply_message(&r, &command);
    set_key(&r, 'a', CATALOG_KV_SET);
    set_key(&r, 'b', CATALOG_KV_SET);
    set_key(&r, 'b', CATALOG_KV_DELETE);
    set_node(&r);
    set_acls(&r);
    return r;
}

static void replica_free(struct replica *r)
{
    catalog_store_free(r->store);
    memory_backend_free(r->memory);
    cu_arena_free(r->arena);
}

struct sum {
    enum catalog_table table;
    struct cu_u128 hash;
};

static bool add_row(void *arg, const struct catalog_row *row)
{
    struct sum *sum = arg;
    const struct cu_bytes parts[] = {cu_bytes_of(catalog_table_name(sum->table)), row->key,
                                     row->value};
    sum->hash = cu_u128_add(sum->hash, cu_blake2b_128(parts, 3));
    return true;
}

/* The hash as the rows themselves have it. */
static struct cu_u128 sum_rows(struct replica *r)
{
    const struct catalog_backend *backend = memory_backend_get(r->memory);
    struct cu_bytes all = {NULL, 0};
    struct sum sum = {.hash = {0, 0}};
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++) {
        sum.table = (enum catalog_table)table;
        must(backend->scan(backend->context, sum.table, all, all, add_row, &sum) == CU_OK);
    }
    return sum.hash;
}

/* Parses: the command was applied, not refused as malformed or unknown. */
static bool took(struct replica *r, const uint8_t *data, size_t len)
{
    Curia__Internal__V1__Command *command = curia__internal__v1__command__unpack(NULL, len, data);
    curia__internal__v1__command__free_unpacked(command, NULL);
    return apply(r, 1, data, len) == CU_OK && command;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct replica one = replica_new(ANSWER_BYTES), other = replica_new(LITTLE_BYTES);
    bool parses = took(&one, data, len);
    must(took(&other, data, len) == parses);
    must(apply(&one, 3, data, len) == apply(&other, 3, data, len));
    struct cu_u128 a = catalog_store_hash(one.store), b = catalog_store_hash(other.store);
    must(a.lo == b.lo && a.hi == b.hi);
    must(catalog_store_flush(one.store) == CU_OK);
    a = catalog_store_hash(one.store);
    must(a.lo == b.lo && a.hi == b.hi); /* written or not, indexes count */
    must(a.lo == sum_rows(&one).lo);
    struct catalog_store *again = NULL;
    must(catalog_store_open(memory_backend_get(one.memory), &again, NULL) == CU_OK);
    must(catalog_store_hash(again).lo == a.lo);
    catalog_store_free(again);
    replica_free(&one);
    replica_free(&other);
    return parses;
}
