#include "services/agentd/definitions.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct agent_definitions definitions;
static struct cu_diag diag;

static enum cu_err read_json(const char *json)
{
    char text[2048];
    struct cu_conf *conf = NULL;
    diag = (struct cu_diag){0};
    int len = snprintf(text, sizeof text,
                       "{\"node_id\":\"11111111-2222-3333-4444-555555555555\",\"server\":true,"
                       "\"data_dir\":\"/tmp\",%s}",
                       json);
    enum cu_err err = cu_conf_parse(text, (size_t)len, "test", &conf, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    err = agent_definitions_read(conf, "n1", &definitions, &diag);
    cu_conf_free(conf);
    return err;
}

START_TEST(names_are_in_snake_case_and_singular_ones_are_of_the_list) /* agent 9 */
{
    ck_assert_int_eq(
        read_json(
            "\"service\":{\"name\":\"one\",\"tags\":[\"a\"],\"port\":80,\"token\":\"t\","
            "\"enable_tag_override\":true,\"weights\":{\"passing\":3,\"warning\":1},"
            "\"check\":{\"id\":\"c1\",\"args\":[\"/bin/true\"],\"interval\":\"10s\","
            "\"success_before_passing\":2}},"
            "\"services\":[{\"id\":\"x\",\"name\":\"two\",\"checks\":[{\"ttl\":\"1s\"},"
            "{\"alias_service\":\"one\"}]}],"
            "\"check\":{\"name\":\"mem\",\"http\":\"http://h\",\"interval\":\"5s\","
            "\"header\":{\"a\":[\"b\"]},\"service_id\":\"one\",\"token\":\"u\"},"
            "\"checks\":[{\"id\":\"i\",\"name\":\"n\",\"tcp\":\"h:1\",\"interval\":\"1m\","
            "\"timeout\":\"2s\",\"output_max_size\":10}],\"enable_local_script_checks\":true"),
        CU_OK);
    ck_assert_uint_eq(definitions.service_count, 2);
    ck_assert_str_eq(definitions.services[0].service->id, "one");
    ck_assert_str_eq(definitions.services[0].token, "t");
    ck_assert(definitions.services[0].service->enable_tag_override);
    ck_assert_int_eq(definitions.services[0].service->weights->passing, 3);
    ck_assert_str_eq(definitions.services[0].checks[0].check->check_id, "c1");
    ck_assert_int_eq(definitions.services[0].checks[0].spec->success_before_passing, 2);
    ck_assert_str_eq(definitions.services[1].checks[0].check->check_id, "service:x:1");
    ck_assert_str_eq(definitions.services[1].checks[1].check->type, "alias");
    ck_assert_uint_eq(definitions.check_count, 2);
    ck_assert_str_eq(definitions.checks[0].check->check_id, "mem");
    ck_assert_str_eq(definitions.checks[0].check->service_id, "one");
    ck_assert_str_eq(definitions.check_tokens[0], "u");
    ck_assert_int_eq(definitions.checks[1].spec->interval_ns, 60000000000);
    ck_assert_int_eq(definitions.checks[1].spec->output_max_size, 10);
    agent_definitions_deinit(&definitions);
}
END_TEST

static const struct {
    const char *json, *text;
} bad[] = {
    {"\"service\":{}", "Service name missing"},
    {"\"service\":{\"name\":\"a\",\"bogus\":1}",
     "1 error occurred:\n\t* invalid config key service.bogus"},
    {"\"check\":{\"name\":\"a\",\"bogus\":1,\"ttl\":\"1s\"}",
     "1 error occurred:\n\t* invalid config key check.bogus"},
    {"\"check\":{\"name\":\"a\"}",
     "check \"a\": Check is not valid: TTL must be > 0 for TTL checks"}, /* agent 22 */
    {"\"check\":{\"name\":\"a\",\"ttl\":15}", /* agent 25: text in files */
     "1 error(s) decoding:\n\n* 'check.ttl' expected type 'string', got unconvertible type "
     "'float64'"},
    {"\"service\":{\"name\":\"a\",\"checks\":[{\"http\":\"h\",\"interval\":1}]}",
     "1 error(s) decoding:\n\n* 'check.interval' expected type 'string', got unconvertible type "
     "'float64'"},
    {"\"check\":{\"name\":\"a\",\"ttl\":\"abc\"}", "check \"\": time: invalid duration \"abc\""},
    {"\"check\":{\"name\":\"a\",\"args\":[\"x\"],\"interval\":\"1s\"}", /* agent 23 */
     "check \"a\": Scripts are disabled on this agent; to enable, configure "
     "'enable_script_checks' or 'enable_local_script_checks' to true"},
    {"\"services\":[{\"name\":\"a\"},{\"id\":\"a\",\"name\":\"b\"}]",
     "service \"a\" is defined twice"},
};

START_TEST(says_what_is_wrong)
{
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        ck_assert_int_eq(read_json(bad[i].json), CU_E_INVALID);
        ck_assert_str_eq(diag.text, bad[i].text);
    }
}
END_TEST

SUITE_MAIN("services/agentd/definitions", names_are_in_snake_case_and_singular_ones_are_of_the_list,
           says_what_is_wrong)
