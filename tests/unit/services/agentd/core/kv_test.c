#include "services/agentd/core/kv.h"

#include "tests/lib/suite.h"

static struct cu_arena *arena;

static struct agent_query parsed(const char *raw)
{
    struct agent_query query = {0};
    arena = arena ? arena : cu_arena_new(64 * 1024);
    ck_assert_int_eq(agent_query_parse(cu_bytes_of(raw), arena, &query), CU_OK);
    return query;
}

static const struct {
    const char *query, *key;
    int want; /* -1: refused with `Missing key name` */
} reads[] = {
    {"", "k", AGENT_KV_ONE},
    {"raw", "k", AGENT_KV_RAW},
    {"recurse&raw", "", AGENT_KV_TREE},
    {"keys&recurse", "", AGENT_KV_KEYS},
    {"", "", -1},
    {"raw", "", -1}, /* http 72 */
};

START_TEST(keys_go_before_recurse_and_recurse_before_raw)
{
    for (size_t i = 0; i < CU_COUNT(reads); i++) {
        struct agent_query query = parsed(reads[i].query);
        struct agent_fault fault;
        enum agent_kv_read kind;
        bool good = agent_kv_read_parse(&query, cu_bytes_of(reads[i].key), &kind, &fault);
        ck_assert_int_eq(good, reads[i].want >= 0);
        if (good)
            ck_assert_int_eq((int)kind, reads[i].want);
        else
            ck_assert_str_eq(fault.text, "Missing key name");
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(the_right_spelling_of_separator_wins) /* http 71 */
{
    struct agent_query both = parsed("seperator=a&separator=b"), wrong = parsed("seperator=/");
    ck_assert(cu_bytes_equal(agent_kv_separator(&both), cu_bytes_of("b")));
    ck_assert(cu_bytes_equal(agent_kv_separator(&wrong), cu_bytes_of("/")));
    cu_arena_free(arena);
}
END_TEST

static const struct {
    const char *query, *key;
    bool is_delete;
    unsigned status;
    const char *sentence;
} refused[] = {
    {"", "", false, 400, "Missing key name"}, /* http 72 */
    {"", "", true, 400, "Missing key name"},
    {"cas=1&acquire=x", "k", false, 400, "Conflicting flags: acquire=x&cas=1"}, /* http 75 */
    {"recurse&cas=1", "k", true, 400, "Conflicting flags: cas=1&recurse="},     /* http 76 */
    {"cas=abc", "k", false, 500,
     "strconv.ParseUint: parsing \"abc\": invalid syntax"}, /* http 74 */
    {"flags=-1", "k", false, 500,
     "strconv.ParseUint: parsing \"-1\": invalid syntax"}, /* http 67 */
    {"flags=18446744073709551616", "k", false, 500,
     "strconv.ParseUint: parsing \"18446744073709551616\": value out of range"},
    {"cas=", "k", true, 500, "strconv.ParseUint: parsing \"\": invalid syntax"},
    {"acquire=", "k", false, 500, "missing session"}, /* http 89 */
};

START_TEST(refuses_writes_with_the_sentences_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct agent_query query = parsed(refused[i].query);
        struct cu_bytes key = cu_bytes_of(refused[i].key);
        struct agent_fault fault;
        Curia__V1__KvPutRequest request = CURIA__V1__KV_PUT_REQUEST__INIT;
        bool good = refused[i].is_delete
                        ? agent_kv_delete_parse(&query, key, &request, &fault)
                        : agent_kv_put_parse(&query, key, cu_bytes_of("v"), &request, &fault);
        ck_assert(!good);
        ck_assert_uint_eq(fault.status, refused[i].status);
        ck_assert_str_eq(fault.text, refused[i].sentence);
    }
    cu_arena_free(arena);
}
END_TEST

static const struct {
    const char *query;
    bool is_delete;
    Curia__V1__KvVerb verb;
    uint64_t flags, index;
    const char *session;
} writes[] = {
    {"", false, CURIA__V1__KV_VERB__KV_SET, 0, 0, ""},
    {"flags=42", false, CURIA__V1__KV_VERB__KV_SET, 42, 0, ""},
    {"cas=0&flags=1", false, CURIA__V1__KV_VERB__KV_CAS, 1, 0, ""},
    {"acquire=s", false, CURIA__V1__KV_VERB__KV_LOCK, 0, 0, "s"},
    {"release=s", false, CURIA__V1__KV_VERB__KV_UNLOCK, 0, 0, "s"},
    {"", true, CURIA__V1__KV_VERB__KV_DELETE, 0, 0, ""},
    {"cas=7", true, CURIA__V1__KV_VERB__KV_DELETE_CAS, 0, 7, ""},
    {"recurse", true, CURIA__V1__KV_VERB__KV_DELETE_TREE, 0, 0, ""},
};

START_TEST(the_parameters_choose_the_verb)
{
    for (size_t i = 0; i < CU_COUNT(writes); i++) {
        struct agent_query query = parsed(writes[i].query);
        struct agent_fault fault;
        Curia__V1__KvPutRequest request = CURIA__V1__KV_PUT_REQUEST__INIT;
        struct cu_bytes key = cu_bytes_of("k");
        ck_assert(writes[i].is_delete
                      ? agent_kv_delete_parse(&query, key, &request, &fault)
                      : agent_kv_put_parse(&query, key, cu_bytes_of("v"), &request, &fault));
        ck_assert_int_eq(request.verb, writes[i].verb);
        ck_assert(request.flags == writes[i].flags);
        ck_assert(request.index == writes[i].index);
        ck_assert_str_eq(request.session, writes[i].session);
        ck_assert_uint_eq(request.key.len, 1);
        ck_assert_uint_eq(request.value.len, writes[i].is_delete ? 0 : 1);
    }
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/agentd/core/kv", keys_go_before_recurse_and_recurse_before_raw,
           the_right_spelling_of_separator_wins, refuses_writes_with_the_sentences_of_the_reference,
           the_parameters_choose_the_verb)
