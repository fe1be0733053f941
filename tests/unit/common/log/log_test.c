#include "common/log/log.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/lib/suite.h"

/* A log into a pipe, and what came out of it. */
static int ends[2];
static char said[16384];

static struct cu_log *open_log(enum cu_log_level level, bool as_json)
{
    ck_assert_int_eq(pipe(ends), 0);
    return cu_log_new("raftd", ends[1], level, as_json);
}

static const char *read_log(struct cu_log *log)
{
    cu_log_free(log);
    (void)close(ends[1]);
    ssize_t got = read(ends[0], said, sizeof said - 1);
    said[got > 0 ? got : 0] = '\0';
    (void)close(ends[0]);
    return said;
}

static void check_matches(const char *text, const char *pattern)
{
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED), 0);
    ck_assert_msg(!regexec(&regex, text, 0, NULL, 0), "no match: %s", text);
    regfree(&regex);
}

START_TEST(a_line_is_stamp_level_daemon_event_and_pairs) /* agent.md 25 */
{
    struct cu_log *log = open_log(CU_LOG_INFO, false);
    cu_warn(log, "member.state", "name=%s from=%s", "n7", "alive");
    check_matches(read_log(log),
                  "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}\\.[0-9]{3}Z \\[WARN\\]  "
                  "raftd: member\\.state: name=n7 from=alive\n$");
}
END_TEST

START_TEST(what_is_below_the_level_is_not_said)
{
    struct cu_log *log = open_log(CU_LOG_INFO, false);
    cu_debug(log, "quiet", "x=%d", 1);
    cu_log_set_level(log, CU_LOG_DEBUG);
    cu_debug(log, "loud", "x=%d", 1);
    read_log(log);
    ck_assert_ptr_null(strstr(said, "quiet"));
    ck_assert_ptr_nonnull(strstr(said, "[DEBUG] raftd: loud: x=1\n"));
}
END_TEST

START_TEST(a_peer_cannot_break_a_line)
{
    struct cu_log *log = open_log(CU_LOG_INFO, false);
    cu_info(log, "peer", "name=%s", "a\n2026 [ERROR] forged\x1b[31m");
    read_log(log);
    ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
    ck_assert_ptr_null(strchr(said, '\x1b'));
}
END_TEST

START_TEST(a_long_line_is_cut_and_stays_one_line)
{
    char *text = malloc(9001);
    memset(text, 'x', 9000);
    text[9000] = '\0';
    struct cu_log *log = open_log(CU_LOG_INFO, false);
    cu_info(log, "long", "text=%s", text);
    read_log(log);
    ck_assert_uint_eq(strlen(said), 4095);
    ck_assert_int_eq(said[4094], '\n');
    free(text);
}
END_TEST

START_TEST(as_json_a_line_is_an_object_with_its_fields) /* agent.md 25 */
{
    struct cu_log *log = open_log(CU_LOG_INFO, true);
    cu_error(log, "member.state", "name=n7 text=\"two words\" n=%d", 3);
    json_t *line = json_loads(read_log(log), 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(line, "@level")), "error");
    ck_assert_str_eq(json_string_value(json_object_get(line, "@message")), "member.state");
    ck_assert_str_eq(json_string_value(json_object_get(line, "@module")), "raftd");
    ck_assert_str_eq(json_string_value(json_object_get(line, "text")), "two words");
    ck_assert_str_eq(json_string_value(json_object_get(line, "n")), "3");
    ck_assert_ptr_nonnull(json_object_get(line, "@timestamp"));
    json_decref(line);
}
END_TEST

START_TEST(as_json_even_odd_text_is_one_valid_object)
{
    struct cu_log *log = open_log(CU_LOG_INFO, true);
    cu_info(log, "odd", "no pairs here \"quoted\" a=\"open");
    json_t *line = json_loads(read_log(log), 0, NULL);
    ck_assert_ptr_nonnull(line);
    json_decref(line);
}
END_TEST

START_TEST(what_a_peer_can_cause_is_limited_and_what_was_held_back_is_counted)
{
    struct cu_log *log = open_log(CU_LOG_INFO, false);
    struct cu_log_limit limit = {.per_second = 2};
    for (int i = 0; i < 50; i++)
        cu_log_limited(log, &limit, CU_LOG_WARN, "peer.odd", "i=%d", i);
    unsigned long long held = limit.suppressed;
    ck_assert_uint_ge(held, 44); /* the second may have turned once */
    limit.second = 0;            /* as if it turned now */
    cu_log_limited(log, &limit, CU_LOG_WARN, "peer.odd", "i=%d", 99);
    read_log(log);
    ck_assert_ptr_nonnull(strstr(said, "i=99 suppressed="));
    ck_assert_uint_eq(limit.suppressed, 0);
}
END_TEST

START_TEST(level_names_are_read_in_any_case)
{
    enum cu_log_level level = CU_LOG_TRACE;
    ck_assert_int_eq(cu_log_level_parse("INFO", &level), CU_OK);
    ck_assert_int_eq(level, CU_LOG_INFO);
    ck_assert_int_eq(cu_log_level_parse("Err", &level), CU_OK);
    ck_assert_int_eq(level, CU_LOG_ERROR);
    ck_assert_int_eq(cu_log_level_parse("error", &level), CU_OK);
    ck_assert_int_eq(cu_log_level_parse("loud", &level), CU_E_INVALID);
    ck_assert_int_eq(level, CU_LOG_ERROR);
}
END_TEST

START_TEST(without_a_log_nothing_is_said)
{
    struct cu_log_limit limit = {0};
    cu_info((struct cu_log *)NULL, "x", "a=%d", 1);
    cu_log_limited(NULL, &limit, CU_LOG_ERROR, "x", "a=%d", 1);
    ck_assert(!cu_log_is_on(NULL, CU_LOG_ERROR));
}
END_TEST

SUITE_MAIN("common/log", a_line_is_stamp_level_daemon_event_and_pairs,
           what_is_below_the_level_is_not_said, a_peer_cannot_break_a_line,
           a_long_line_is_cut_and_stays_one_line, as_json_a_line_is_an_object_with_its_fields,
           as_json_even_odd_text_is_one_valid_object,
           what_a_peer_can_cause_is_limited_and_what_was_held_back_is_counted,
           level_names_are_read_in_any_case, without_a_log_nothing_is_said)
