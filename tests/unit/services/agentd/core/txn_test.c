#include "services/agentd/core/txn.h"

#include <stdlib.h>
#include <string.h>

#include "services/agentd/core/shapes.h"
#include "tests/lib/suite.h"

enum { MAX_VALUE = 8 };

static struct cu_arena *arena;
static struct agent_txn txn;
static struct agent_fault fault;

static bool parse(const char *body)
{
    arena = arena ? arena : cu_arena_new(256 * 1024);
    return agent_txn_parse(cu_bytes_of(body), MAX_VALUE, arena, &txn, &fault);
}

static const struct {
    const char *body;
    unsigned status;
    const char *sentence;
} refused[] = {
    {"", 400, "Failed to parse body: EOF"},
    {"{}", 400,
     "Failed to parse body: json: cannot unmarshal object into Go value of type api.TxnOps"},
    {"[{\"KV\":{\"Verb\":\"set\",\"Key\":\"k\",\"Value\":\"!\"}}]", 400,
     "Failed to parse body: illegal base64 data at input byte 0"}, /* http 115 */
    {"[{\"KV\":{\"Foo\":1}}]", 400,
     "Failed to parse body: json: unknown field \"Foo\""}, /* http 116 */
    {"[{\"Bar\":1}]", 400, "Failed to parse body: json: unknown field \"Bar\""},
    {"[1]", 400,
     "Failed to parse body: json: cannot unmarshal number into Go value of type api.TxnOp"},
    {"[{\"Node\":{}}]", 400,
     "Node operations are not part of this build: it has KV operations only"},
    {"[{\"KV\":{\"Verb\":\"set\",\"Key\":\"k\",\"Value\":\"MTIzNDU2Nzg5\"}}]", 413,
     "Value for key \"k\" is too large (9 > 8 bytes)"},
};

START_TEST(refuses_bodies_with_the_sentences_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        ck_assert_msg(!parse(refused[i].body), "%s", refused[i].body);
        ck_assert_uint_eq(fault.status, refused[i].status);
        ck_assert_str_eq(fault.text, refused[i].sentence);
    }
    cu_arena_free(arena);
}
END_TEST

static const struct {
    const char *body;
    size_t operations;
    bool only_reads;
} good[] = {
    {"[]", 0, true},   /* http 109 */
    {"[{}]", 0, true}, /* http 123 */
    {"null", 0, true},
    {"[{\"KV\":null,\"Node\":null}]", 0, true},
    {"[{\"kv\":{\"verb\":\"get\",\"key\":\"k\"}}]", 1, true},
    {"[{\"KV\":{\"Verb\":\"get\",\"Key\":\"k\"}},{\"KV\":{\"Verb\":\"set\",\"Key\":\"k\"}}]", 2,
     false},
    {"[{\"KV\":{\"Verb\":\"check-not-exists\",\"Key\":\"k\"}}]", 1, true},
    {"[{\"KV\":{\"Verb\":\"delete-tree\"}}]", 1, false},
    {"[{\"KV\":{\"Verb\":\"set\",\"Key\":\"k\",\"Value\":\"MTIzNDU2Nzg=\"}}]", 1, false},
    {"[{\"KV\":{\"Verb\":\"bogus\",\"Key\":\"k\"}}]", 1, true},
    {"[{\"KV\":{}}]", 1, true},
};

START_TEST(reads_operations_and_tells_whether_they_only_read)
{
    for (size_t i = 0; i < CU_COUNT(good); i++) {
        ck_assert_msg(parse(good[i].body), "%s: %s", good[i].body, fault.text);
        ck_assert_uint_eq(txn.request.n_operations, good[i].operations);
        ck_assert_int_eq(txn.only_reads, good[i].only_reads);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(an_unknown_verb_travels_by_its_name) /* http 117 */
{
    ck_assert(parse("[{\"KV\":{\"Verb\":\"get\"}},{\"KV\":{\"VERB\":\"bogus\"}}]"));
    ck_assert_uint_eq(txn.request.n_operations, 2);
    ck_assert_str_eq(txn.request.operations[0]->unknown_verb, "");
    ck_assert_int_eq((int)txn.request.operations[1]->verb, AGENT_UNKNOWN_VERB);
    ck_assert_str_eq(txn.request.operations[1]->unknown_verb, "bogus");
    cu_arena_free(arena);
}
END_TEST

START_TEST(takes_64_operations_and_refuses_65) /* http 114 */
{
    char body[AGENT_TXN_MAX_OPERATIONS * 3 + 8];
    for (int count = AGENT_TXN_MAX_OPERATIONS; count <= AGENT_TXN_MAX_OPERATIONS + 1; count++) {
        char *at = body;
        *at++ = '[';
        for (int i = 0; i < count; i++)
            at = stpcpy(at, i ? ",{}" : "{}");
        strcpy(at, "]");
        ck_assert_int_eq(parse(body), count == AGENT_TXN_MAX_OPERATIONS);
    }
    ck_assert_uint_eq(fault.status, 413);
    ck_assert_str_eq(fault.text, "Transaction contains too many operations (65 > 64)");
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/agentd/core/txn", refuses_bodies_with_the_sentences_of_the_reference,
           reads_operations_and_tells_whether_they_only_read, an_unknown_verb_travels_by_its_name,
           takes_64_operations_and_refuses_65)
