#include "services/catalogd/core/registration.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

typedef Curia__Internal__V1__RegisterCommand command_t;

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static struct catalog_refusal prepare(command_t *command, struct cu_arena *arena)
{
    struct catalog_refusal refusal = {CU_OK, "untouched"};
    ck_assert_int_eq(catalog_registration_prepare(command, arena, &refusal), CU_OK);
    return refusal;
}

static void accepted(command_t *command, struct cu_arena *arena)
{
    ck_assert_ptr_null(prepare(command, arena).text);
}

static void too_large(command_t *command, struct cu_arena *arena, const char *want)
{
    struct catalog_refusal refusal = prepare(command, arena);
    ck_assert_ptr_nonnull(refusal.text);
    ck_assert_str_eq(refusal.text, want);
    ck_assert_int_eq(refusal.err, CU_E_TOO_LARGE);
}

static char *letters(struct cu_arena *arena, size_t count)
{
    char *text = cu_arena_alloc(arena, count + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', count);
    return text;
}

/* ---- defaults ---- */

START_TEST(fills_in_what_is_left_out_CAT_132_133)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .service = "s", .check = ""});
    Curia__V1__Weights none = CURIA__V1__WEIGHTS__INIT;
    command->checks[0]->name = command->checks[0]->node; /* "" still: no id, no name */
    command->service->weights = &none;
    ck_assert_str_eq(prepare(command, arena).text, "Must provide the ID or the name of a check");

    command->checks[0]->name = letters(arena, 3);
    accepted(command, arena);
    ck_assert_str_eq(command->service->id, "s");
    ck_assert_int_eq(command->service->weights->passing, 1); /* 0/0 is no weight */
    ck_assert_int_eq(command->service->weights->warning, 1);
    ck_assert_ptr_null(command->service->connect); /* it said nothing */
    ck_assert_str_eq(command->checks[0]->check_id, "aaa");
    ck_assert_str_eq(command->checks[0]->node, "n");
    ck_assert_str_eq(command->checks[0]->status, "critical");
    cu_arena_free(arena);
}
END_TEST

START_TEST(what_comes_from_the_service_or_the_state_is_not_taken_from_the_request)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .service = "s", .check = "c"});
    command->checks[0]->service_name = command->service->service;
    command->checks[0]->modify_index = command->node->create_index = 7;
    command->service->modify_index = 7;
    accepted(command, arena);
    ck_assert_str_eq(command->checks[0]->service_name, "");
    ck_assert_uint_eq(command->checks[0]->modify_index, 0);
    ck_assert_uint_eq(command->node->create_index, 0);
    ck_assert_uint_eq(command->service->modify_index, 0);
    cu_arena_free(arena);
}
END_TEST

START_TEST(the_type_of_a_check_follows_from_its_definition_CAT_152)
{
    static char some[] = "x", none[] = "", *args[] = {some};
    /* clang-format off */
    static const struct {
        int64_t interval_ns, ttl_ns;
        bool grpc, http, tcp, docker, script, alias;
        const char *want;
    } cases[] = {
        {.interval_ns = 1, .grpc = true, .http = true, .want = "grpc"},
        {.interval_ns = 1, .http = true, .ttl_ns = 1, .want = "http"},
        {.http = true, .ttl_ns = 3000000000, .want = "ttl"}, /* never run: no interval */
        {.interval_ns = 1, .tcp = true, .alias = true, .want = "tcp"},
        {.alias = true, .want = "alias"},
        {.interval_ns = 1, .docker = true, .script = true, .want = "docker"},
        {.interval_ns = 1, .script = true, .want = "script"},
        {.interval_ns = 1, .want = ""},
    };
    /* clang-format on */
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        command_t *command = reg_command(arena, &(struct reg){.node = "n", .check = "c"});
        Curia__V1__CheckDefinition definition = CURIA__V1__CHECK_DEFINITION__INIT;
        definition.interval_ns = cases[i].interval_ns;
        definition.ttl_ns = cases[i].ttl_ns;
        definition.grpc = cases[i].grpc ? some : none;
        definition.http = cases[i].http ? some : none;
        definition.tcp = cases[i].tcp ? some : none;
        definition.docker_container_id = cases[i].docker ? some : none;
        definition.alias_service = cases[i].alias ? some : none;
        definition.script_args = args;
        definition.n_script_args = cases[i].script;
        command->checks[0]->definition = &definition;
        accepted(command, arena);
        ck_assert_str_eq(command->checks[0]->type, cases[i].want);
        command->checks[0]->type = some; /* one that is given stays */
        accepted(command, arena);
        ck_assert_str_eq(command->checks[0]->type, "x");
    }
    cu_arena_free(arena);
}
END_TEST

/* ---- limits ---- */

START_TEST(names_end_at_their_limit)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .service = "s", .tags = "t", .check = "c"});
    const struct {
        char **name;
        const char *want;
    } names[] = {
        {&command->node->node, "a node's name of more than 1024 bytes"},
        {&command->service->id, "a service ID of more than 1024 bytes"},
        {&command->service->service, "a service's name of more than 1024 bytes"},
        {&command->service->tags[0], "a tag of more than 1024 bytes"},
        {&command->checks[0]->check_id, "a check ID of more than 1024 bytes"},
        {&command->checks[0]->status, "a check's status of more than 1024 bytes"},
    };
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        char *was = *names[i].name;
        command->checks[0]->node = letters(arena, 0); /* that of the registration */
        *names[i].name = letters(arena, CATALOG_NAME_BYTES_MAX);
        accepted(command, arena);
        command->checks[0]->node = letters(arena, 0);
        *names[i].name = letters(arena, CATALOG_NAME_BYTES_MAX + 1);
        too_large(command, arena, names[i].want);
        *names[i].name = was;
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(counts_end_at_their_limit)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .service = "s", .tags = "t", .check = "c"});
    Curia__V1__Service *service = command->service;
    char **tags = cu_arena_alloc(arena, (CATALOG_TAGS_MAX + 1) * sizeof *tags);
    for (size_t i = 0; i <= CATALOG_TAGS_MAX; i++)
        tags[i] = service->tags[0];
    service->tags = tags;
    service->n_tags = CATALOG_TAGS_MAX;
    accepted(command, arena);
    service->n_tags++;
    too_large(command, arena, "a service with more than 1024 tags");
    service->n_tags = 1;

    Curia__V1__Check **checks = cu_arena_alloc(arena, (CATALOG_CHECKS_MAX + 1) * sizeof *checks);
    for (size_t i = 0; i <= CATALOG_CHECKS_MAX; i++)
        checks[i] = command->checks[0];
    command->checks = checks;
    command->n_checks = CATALOG_CHECKS_MAX;
    accepted(command, arena);
    command->n_checks++;
    too_large(command, arena, "more than 1024 checks at once");
    cu_arena_free(arena);
}
END_TEST

START_TEST(maps_end_at_their_limit)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf pairs = {0};
    for (int i = 0; i < CATALOG_PAIRS_MAX + 1; i++)
        cu_buf_printf(&pairs, "%sk%d=v", i ? "," : "", i);
    cu_buf_u8(&pairs, '\0');
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .node_meta = (const char *)pairs.data});
    too_large(command, arena, "a map of more than 1024 pairs");
    command->node->meta->n_entries--;
    accepted(command, arena);
    cu_buf_deinit(&pairs);
    cu_arena_free(arena);
}
END_TEST

START_TEST(rows_end_at_their_limit)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    command_t *command =
        reg_command(arena, &(struct reg){.node = "n", .service = "s", .check = "c"});
    Curia__V1__Check *check = command->checks[0];
    accepted(command, arena);
    check->output = letters(arena, 1000);
    size_t rest = curia__v1__check__get_packed_size(check) - 1000 + 1; /* a longer length */
    check->output = letters(arena, CATALOG_ROW_BYTES_MAX - rest);
    ck_assert_uint_eq(curia__v1__check__get_packed_size(check), CATALOG_ROW_BYTES_MAX);
    accepted(command, arena);
    check->output = letters(arena, CATALOG_ROW_BYTES_MAX - rest + 1);
    too_large(command, arena, "a check of more than 524288 bytes");
    check->output = letters(arena, 0);
    command->service->address = letters(arena, CATALOG_ROW_BYTES_MAX);
    too_large(command, arena, "a service of more than 524288 bytes");
    command->service->address = letters(arena, 0);
    command->node->address = letters(arena, CATALOG_ROW_BYTES_MAX);
    too_large(command, arena, "a node of more than 524288 bytes");
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    command_t *command = reg_command(arena, &(struct reg){.node = "n", .node_meta = "b=1,a=1"});
    struct catalog_refusal refusal;
    cu_arena_set_limit(arena, cu_arena_used(arena));
    ck_assert_int_eq(catalog_registration_prepare(command, arena, &refusal), CU_E_TOO_LARGE);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/registration", fills_in_what_is_left_out_CAT_132_133,
           what_comes_from_the_service_or_the_state_is_not_taken_from_the_request,
           the_type_of_a_check_follows_from_its_definition_CAT_152, names_end_at_their_limit,
           counts_end_at_their_limit, maps_end_at_their_limit, rows_end_at_their_limit,
           a_full_arena_is_said)
