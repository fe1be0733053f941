/* Checklist: agent 2 and 6 (HCL1 or JSON by extension, objects once or in a list of one, what a
 * wrong one says), cli 72 (-config-format, -hcl). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf/conf.h"
#include "tests/lib/suite.h"

static struct cu_diag diag;

static const char *write_file(const char *name, const char *text)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", suite_tmpdir(), name);
    FILE *file = fopen(path, "w");
    ck_assert(file && fputs(text, file) >= 0 && !fclose(file));
    return path;
}

static enum cu_err load(const char *path, const char *format, struct cu_conf **ret_conf)
{
    const char *paths[] = {path, NULL};
    diag = (struct cu_diag){0};
    return cu_conf_load(&(struct cu_conf_sources){.dev = true, .paths = paths, .format = format},
                        ret_conf, NULL, &diag);
}

/* All that was set by one file; yours. */
static json_t *effect(const char *name, const char *text)
{
    struct cu_conf *conf = NULL;
    ck_assert_msg(!load(write_file(name, text), NULL, &conf), "%s", diag.text);
    json_t *all = cu_conf_render(conf, NULL);
    cu_conf_free(conf);
    return all;
}

static const struct {
    const char *hcl, *json;
} twins[] = {
    {"", "{}"},
    {"# a comment\nnode_name = \"n\" // and one\nserver = true",
     "{\"node_name\":\"n\",\"server\":true}"},
    {"ports { http = 7, dns = -1 }", "{\"ports\":{\"http\":7,\"dns\":-1}}"},
    {"ports = { http = 7 }", "{\"ports\":{\"http\":7}}"},
    {"recursors = [\"1.1.1.1\", \"2.2.2.2\",]", "{\"recursors\":[\"1.1.1.1\",\"2.2.2.2\"]}"},
    {"dns_config { service_ttl { \"*\" = \"5s\" web = \"1s\" } }",
     "{\"dns_config\":{\"service_ttl\":{\"*\":\"5s\",\"web\":\"1s\"}}}"},
    {"node_meta { a = \"b\" }", "{\"node_meta\":{\"a\":\"b\"}}"},
    {"telemetry { disable_compat_1.9 = true }", "{\"telemetry\":{\"disable_compat_1.9\":true}}"},
    {"bind_addr = [\"127.0.0.1\"]", "{\"bind_addr\":\"127.0.0.1\"}"},
    {"raftd { peers = [{ id = \"11111111-2222-3333-4444-555555555555\" address = \"::1\" }] }",
     "{\"raftd\":{\"peers\":[{\"id\":\"11111111-2222-3333-4444-555555555555\","
     "\"address\":\"::1\"}]}}"},
    {"raftd { peers { id = \"11111111-2222-3333-4444-555555555555\" address = \"::1\" } }",
     "{\"raftd\":{\"peers\":[{\"id\":\"11111111-2222-3333-4444-555555555555\","
     "\"address\":\"::1\"}]}}"},
    {"connect { ca_config { a { b = 1 } c = [1] d = [{e = 1}, {f = 1}] } }",
     "{\"connect\":{\"ca_config\":{\"a\":{\"b\":1},\"c\":[1],\"d\":[{\"e\":1},{\"f\":1}]}}}"},
    {"service { name = \"web\" }\nservice { name = \"db\" }",
     "{\"services\":[{\"name\":\"web\"},{\"name\":\"db\"}]}"},
    {"services { name = \"web\" }\nservices { name = \"db\" }",
     "{\"services\":[{\"name\":\"web\"},{\"name\":\"db\"}]}"},
    {"check { id = \"c\" header { x = [\"y\"] } }",
     "{\"check\":{\"id\":\"c\",\"header\":{\"x\":[\"y\"]}}}"},
    {"service {\n"
     "  name = \"web\" tags = [\"a\"]\n"
     "  meta { k = \"v\" }\n"
     "  tagged_addresses { lan { address = \"1.2.3.4\" port = 1 } checks { port = 2 } }\n"
     "  weights { passing = 2 }\n"
     "  checks { ttl = \"1s\" }\n"
     "  check { http = \"http://h/\" interval = \"1s\" }\n"
     "  proxy {\n"
     "    upstreams { destination_name = \"db\" config { paths { x { y = 1 } } } }\n"
     "    expose { paths { path = \"/x\" } }\n"
     "    config { limits { most = 1 } list = [1] }\n"
     "  }\n"
     "  connect { sidecar_service { proxy { upstreams = [{ destination_name = \"db\" }] } } }\n"
     "}",
     "{\"services\":[{\"name\":\"web\",\"tags\":[\"a\"],\"meta\":{\"k\":\"v\"},"
     "\"tagged_addresses\":{\"lan\":{\"address\":\"1.2.3.4\",\"port\":1},\"checks\":{\"port\":2}},"
     "\"weights\":{\"passing\":2},\"checks\":[{\"ttl\":\"1s\"}],"
     "\"check\":{\"http\":\"http://h/\",\"interval\":\"1s\"},"
     "\"proxy\":{\"upstreams\":[{\"destination_name\":\"db\","
     "\"config\":{\"paths\":{\"x\":{\"y\":1}}}}],\"expose\":{\"paths\":[{\"path\":\"/x\"}]},"
     "\"config\":{\"limits\":{\"most\":1},\"list\":[1]}},"
     "\"connect\":{\"sidecar_service\":{\"proxy\":{\"upstreams\":[{\"destination_name\":\"db\"}]}}}"
     "}]}"},
    {" {\"node_name\": \"json after all\"}", "{\"node_name\":\"json after all\"}"},
};

START_TEST(an_hcl_file_means_what_its_json_twin_means)
{
    for (size_t i = 0; i < CU_COUNT(twins); i++) {
        json_t *one = effect("x.hcl", twins[i].hcl), *other = effect("x.json", twins[i].json);
        char *shown = json_dumps(one, JSON_SORT_KEYS);
        ck_assert_msg(json_equal(one, other), "%s\ngave %s", twins[i].hcl, shown);
        free(shown);
        json_decref(one);
        json_decref(other);
    }
}
END_TEST

static const struct {
    const char *text, *sentence; /* behind "failed to parse PATH: " */
} refused[] = {
    {"ports {", "At 1:9: object expected closing RBRACE got: EOF"},
    {"node_name = \"", "At 1:14: literal not terminated"},
    {"bogus = 1", "1 error occurred:\n\t* invalid config key bogus"},
    {"ports { htp = 1 }", "1 error occurred:\n\t* invalid config key ports.htp"},
    {"retry_interval = 5", "1 error(s) decoding:\n\n* 'retry_interval' expected type 'string', got "
                           "unconvertible type 'int'"},
    {"retry_interval = 5.5", "1 error(s) decoding:\n\n* 'retry_interval' expected type 'string', "
                             "got unconvertible type 'float64'"},
    {"node_name { a = 1 } node_name { b = 1 }",
     "1 error(s) decoding:\n\n* 'node_name' expected type 'string', got unconvertible type "
     "'[]map[string]interface {}'"},
    {"ports { http = 1 } ports { dns = 1 }",
     "1 error(s) decoding:\n\n* 'ports' expected a map, got 'slice'"},
    {"node_meta { a = \"b\" } node_meta { c = \"d\" }",
     "1 error(s) decoding:\n\n* 'node_meta' expected a map, got 'slice'"},
    {"ports = 1", "1 error(s) decoding:\n\n* 'ports' expected a map, got 'int'"},
    {"recursors = \"1.1.1.1\"",
     "1 error(s) decoding:\n\n* 'recursors': source data must be an array or slice, got string"},
};

START_TEST(what_is_wrong_with_it_is_said_in_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct cu_conf *conf = NULL;
        char wanted[1024];
        const char *path = write_file("x.hcl", refused[i].text);
        (void)snprintf(wanted, sizeof wanted, "failed to parse %s: %s", path, refused[i].sentence);
        ck_assert_int_eq(load(path, NULL, &conf), CU_E_INVALID);
        ck_assert_str_eq(diag.text, wanted);
    }
}
END_TEST

START_TEST(a_format_that_is_given_counts_more_than_names)
{
    struct cu_conf *conf = NULL;
    (void)write_file("a.json", "node_name = \"a\"");
    (void)write_file("b.conf", "datacenter = \"b\"");
    ck_assert_int_eq(load(suite_tmpdir(), NULL, &conf), CU_E_INVALID);
    ck_assert_msg(!load(suite_tmpdir(), "hcl", &conf), "%s", diag.text);
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "a");
    ck_assert_str_eq(cu_conf_text(conf, "datacenter"), "b");
    cu_conf_free(conf);
    ck_assert_int_eq(load(suite_tmpdir(), "json", &conf), CU_E_INVALID);
    ck_assert_int_eq(load(suite_tmpdir(), "yaml", &conf), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "config: -config-format must be either 'hcl' or 'json'");
}
END_TEST

START_TEST(fragments_come_after_files_and_before_flags)
{
    static const char *const good[] = {"node_name = \"f\"\nrecursors = [\"2.2.2.2\"]",
                                       "log_level = \"warn\"", NULL};
    static const char *const bad[] = {"", "node_name = ", NULL};
    const char *paths[] = {
        write_file("x.json", "{\"node_name\":\"x\",\"recursors\":[\"1.1.1.1\"]}"), NULL};
    struct cu_conf_sources sources = {
        .dev = true,
        .paths = paths,
        .fragments = good,
        .flags = json_pack("{s:s}", "log_level", "err"),
    };
    struct cu_conf *conf = NULL;
    ck_assert_msg(!cu_conf_load(&sources, &conf, NULL, &diag), "%s", diag.text);
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "f");
    ck_assert_str_eq(cu_conf_text(conf, "log_level"), "err");
    ck_assert_uint_eq(json_array_size(cu_conf_json(conf, "recursors")), 2);
    cu_conf_free(conf);
    sources.fragments = bad;
    ck_assert_int_eq(cu_conf_load(&sources, &conf, NULL, &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "failed to parse flags-1.hcl: At 1:13: Unknown token: 1:13 EOF ");
    json_decref(sources.flags);
}
END_TEST

START_TEST(files_of_both_kinds_merge_in_the_order_of_their_names) /* agent 6 */
{
    struct cu_conf *conf = NULL;
    (void)write_file("a.hcl", "node_name = \"a\" services { name = \"one\" }");
    (void)write_file("b.json", "{\"node_name\":\"b\",\"service\":{\"name\":\"two\"}}");
    ck_assert_msg(!load(suite_tmpdir(), NULL, &conf), "%s", diag.text);
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "b");
    ck_assert_uint_eq(json_array_size(cu_conf_json(conf, "services")), 2);
    cu_conf_free(conf);
}
END_TEST

START_TEST(agent_6_other_names_are_passed_over_with_a_warning_and_folders_in_silence)
{
    struct cu_conf *conf = NULL;
    json_t *warnings = NULL;
    char folder[512], wanted[640];
    (void)snprintf(folder, sizeof folder, "%s/sub.json", suite_tmpdir());
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    (void)write_file("sub.json/z.json", "{\"node_name\":\"deep\"}"); /* not recursive */
    (void)write_file("10.json", "{\"node_name\":\"ten\"}");
    (void)write_file("9.json", "{\"node_name\":\"nine\"}"); /* by letters, not by numbers */
    (void)snprintf(
        wanted, sizeof wanted,
        "skipping file %s, extension must be .hcl or .json, or config format must be set",
        write_file("z.conf", "node_name = \"other\""));
    const char *paths[] = {suite_tmpdir(), NULL};
    ck_assert_msg(!cu_conf_load(&(struct cu_conf_sources){.dev = true, .paths = paths}, &conf,
                                &warnings, &diag),
                  "%s", diag.text);
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "nine");
    ck_assert_uint_eq(json_array_size(warnings), 1);
    ck_assert_str_eq(json_string_value(json_array_get(warnings, 0)), wanted);
    json_decref(warnings);
    cu_conf_free(conf);
}
END_TEST

SUITE_MAIN("common/conf/hcl", an_hcl_file_means_what_its_json_twin_means,
           what_is_wrong_with_it_is_said_in_the_words_of_the_reference,
           a_format_that_is_given_counts_more_than_names,
           fragments_come_after_files_and_before_flags,
           files_of_both_kinds_merge_in_the_order_of_their_names,
           agent_6_other_names_are_passed_over_with_a_warning_and_folders_in_silence)
