#include "common/conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/conf/address.h"
#include "common/conf/key.h"
#include "common/conf/source.h"
#include "tests/lib/suite.h"

static struct cu_diag diag;

static struct cu_conf *good(const char *text)
{
    struct cu_conf *conf = NULL;
    enum cu_err err = cu_conf_parse(text, strlen(text), "t.json", &conf, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return conf;
}

/* The sentence for a text that is no good. */
static const char *refusal(const char *text)
{
    struct cu_conf *conf = NULL;
    enum cu_err err = cu_conf_parse(text, strlen(text), "t.json", &conf, &diag);
    ck_assert_msg(err == CU_E_INVALID, "was accepted: %s", text);
    return diag.text;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert(file && fputs(text, file) >= 0 && !fclose(file));
}

START_TEST(every_default_of_the_table_is_of_its_type)
{
    struct cu_conf *conf = good("{\"data_dir\":\"/x\"}");
    for (size_t i = 0; i < cu_key_count; i++) {
        const struct cu_key *key = &cu_keys[i];
        ck_assert_ptr_eq(cu_key_find(key->path), key); /* and no path is there twice */
        if (key->type == CU_KEY_BOOL)
            (void)cu_conf_bool(conf, key->path);
        if (key->type == CU_KEY_INT)
            (void)cu_conf_int(conf, key->path);
        if (key->type == CU_KEY_MS)
            ck_assert_int_ge(cu_conf_ms(conf, key->path), 0);
    }
    ck_assert_int_eq(cu_conf_int(conf, "ports.http"), 8500);
    ck_assert_int_eq(cu_conf_ms(conf, "max_query_time"), 600000);
    ck_assert(!cu_conf_is_set(conf, "performance.raft_multiplier"));
    ck_assert_str_eq(cu_conf_text(conf, "datacenter"), "dc1");
    cu_conf_free(conf);
}
END_TEST

START_TEST(an_unknown_key_is_named) /* agent.md 2 */
{
    ck_assert_str_eq(refusal("{\"data_dir\":\"/x\",\"bogus\":1}"),
                     "failed to parse t.json: 1 error occurred:\n\t* invalid config key bogus");
    ck_assert_str_eq(refusal("{\"ports\":{\"htp\":1}}"),
                     "failed to parse t.json: 1 error occurred:\n\t* invalid config key ports.htp");
    ck_assert_ptr_nonnull(strstr(refusal("{\"ports.http\":1}"), "invalid config key ports.http"));
}
END_TEST

START_TEST(a_wrong_type_is_named_with_both_types) /* agent.md 2 */
{
    ck_assert_str_eq(
        refusal("{\"retry_interval\":5}"),
        "failed to parse t.json: 1 error(s) decoding:\n\n* 'retry_interval' expected type "
        "'string', got unconvertible type 'float64'");
    ck_assert_ptr_nonnull(
        strstr(refusal("{\"ports\":{\"dns\":\"x\"}}"),
               "'ports.dns' expected type 'int', got unconvertible type 'string'"));
}
END_TEST

START_TEST(a_bad_duration_gives_gos_sentence) /* agent.md 2 */
{
    ck_assert_str_eq(
        refusal("{\"data_dir\":\"/x\",\"retry_interval\":\"abc\"}"),
        "1 error occurred:\n\t* retry_interval: invalid duration: \"abc\": time: invalid "
        "duration \"abc\"\n\n");
}
END_TEST

START_TEST(names_match_in_any_case_unless_the_exact_one_is_there) /* agent.md 2 */
{
    struct cu_conf *conf =
        good("{\"NODE_NAME\":\"zz\",\"Data_Dir\":\"/x\",\"Ports\":{\"HTTP\":1}}");
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "zz");
    ck_assert_int_eq(cu_conf_int(conf, "ports.http"), 1);
    cu_conf_free(conf);
    ck_assert_ptr_nonnull(
        strstr(refusal("{\"bind_addr\":\"127.0.0.1\",\"Bind_Addr\":\"127.0.0.2\"}"),
               "invalid config key Bind_Addr"));
}
END_TEST

START_TEST(a_block_may_stand_in_a_list_of_one) /* agent.md 2 */
{
    struct cu_conf *conf = good("{\"data_dir\":\"/x\",\"ports\":[{\"http\":7}]}");
    ck_assert_int_eq(cu_conf_int(conf, "ports.http"), 7);
    cu_conf_free(conf);
}
END_TEST

START_TEST(a_key_with_a_dot_in_its_name_is_known)
{
    struct cu_conf *conf =
        good("{\"data_dir\":\"/x\",\"telemetry\":{\"disable_compat_1.9\":true}}");
    ck_assert(cu_conf_bool(conf, "telemetry.disable_compat_1.9"));
    json_t *all = cu_conf_render(conf, NULL);
    ck_assert(
        json_is_true(json_object_get(json_object_get(all, "telemetry"), "disable_compat_1.9")));
    json_decref(all);
    cu_conf_free(conf);
}
END_TEST

START_TEST(rules_between_keys_speak_the_references_words) /* agent.md 2 */
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{}", "data_dir cannot be empty"},
        {"{\"data_dir\":\"/dev/null\"}", "data_dir \"/dev/null\" is not a directory"},
        {"{\"data_dir\":\"/x\",\"datacenter\":\"a b\"}",
         "datacenter can only contain lowercase alphanumeric, - or _ characters. received: \"a "
         "b\""},
        {"{\"data_dir\":\"/x\",\"node_name\":\"\"}", "node_name cannot be empty"},
        {"{\"data_dir\":\"/x\",\"bootstrap\":true}", "'bootstrap = true' requires 'server = true'"},
        {"{\"data_dir\":\"/x\",\"bootstrap_expect\":3}",
         "'bootstrap_expect > 0' requires 'server = true'"},
        {"{\"data_dir\":\"/x\",\"server\":true,\"bootstrap\":true,\"bootstrap_expect\":3}",
         "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive"},
        {"{\"data_dir\":\"/x\",\"bootstrap_expect\":-2}",
         "bootstrap_expect cannot be -2. Must be greater than or equal to zero"},
        {"{\"data_dir\":\"/x\",\"dev_mode\":true,\"server\":true,\"bootstrap_expect\":3}",
         "'bootstrap_expect > 0' not allowed in dev mode"},
        {"{\"data_dir\":\"/x\",\"advertise_addr\":\"0.0.0.0\"}",
         "Advertise address cannot be 0.0.0.0, :: or [::]"},
        {"{\"data_dir\":\"/x\",\"bind_addr\":\"1.2.3.4 1.2.3.5\"}",
         "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead."},
        {"{\"data_dir\":\"/x\",\"performance\":{\"raft_multiplier\":11}}",
         "performance.raft_multiplier cannot be 11. Must be between 1 and 10"},
        {"{\"data_dir\":\"/x\",\"performance\":{\"raft_multiplier\":0}}",
         "performance.raft_multiplier cannot be 0. Must be between 1 and 10"},
        {"{\"data_dir\":\"/x\",\"check_output_max_size\":0}",
         "check_output_max_size must be positive, to discard check output use the "
         "discard_check_output flag"},
        {"{\"data_dir\":\"/x\",\"recursors\":[\"::\"]}",
         "DNS recursor address cannot be 0.0.0.0, :: or [::]"},
        {"{\"data_dir\":\"/x\",\"alt_domain\":\"node.x\"}",
         "alt_domain cannot start with {service,connect,node,query,addr,dc1}"},
        {"{\"data_dir\":\"/x\",\"server\":true,\"advertise_reconnect_timeout\":\"1h\"}",
         "advertise_reconnect_timeout can only be used on a client"},
        {"{\"data_dir\":\"/"
         "x\",\"server\":true,\"bind_addr\":\"127.0.0.1\",\"ports\":{\"http\":8300}}",
         "Server RPC address 127.0.0.1:8300 already configured for HTTP"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_str_eq(refusal(cases[i].text), cases[i].sentence);
}
END_TEST

START_TEST(what_would_protect_and_is_not_built_is_refused)
{
    static const char *const texts[] = {
        "{\"data_dir\":\"/x\",\"encrypt\":\"pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=\"}",
        "{\"data_dir\":\"/x\",\"verify_incoming\":true}",
        "{\"data_dir\":\"/x\",\"acl_datacenter\":\"dc1\"}",
    };
    for (size_t i = 0; i < CU_COUNT(texts); i++)
        ck_assert_ptr_nonnull(strstr(refusal(texts[i]), "is not built yet"));
    cu_conf_free(
        good("{\"data_dir\":\"/x\",\"verify_incoming\":false,\"acl\":{\"enabled\":false}}"));
}
END_TEST

static json_t *warnings_of(const char *text)
{
    write_file(suite_tmpdir(), "w.json", text);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/w.json", suite_tmpdir());
    const char *paths[] = {path, NULL};
    struct cu_conf *conf = NULL;
    json_t *warnings = NULL;
    enum cu_err err =
        cu_conf_load(&(struct cu_conf_sources){.paths = paths}, &conf, &warnings, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    cu_conf_free(conf);
    return warnings;
}

START_TEST(what_is_not_built_is_warned_about_by_name)
{
    json_t *warnings =
        warnings_of("{\"data_dir\":\"/x\",\"node_name\":\"n\",\"retry_join_wan\":[\"1.2.3.4\"],"
                    "\"ports\":{\"dns\":8600},\"acl_enforce_version_8\":true}");
    ck_assert_int_eq(json_array_size(warnings), 2);
    ck_assert_str_eq(json_string_value(json_array_get(warnings, 0)),
                     "config key \"retry_join_wan\" is known but not built yet: it has no effect");
    ck_assert_str_eq(json_string_value(json_array_get(warnings, 1)),
                     "config key \"acl_enforce_version_8\" is deprecated and should be removed");
    json_decref(warnings);
}
END_TEST

START_TEST(agent_12_expecting_one_server_is_bootstrap_with_the_warning)
{
    static const char text[] =
        "{\"data_dir\":\"/x\",\"node_name\":\"n\",\"server\":true,\"bootstrap_expect\":1}";
    json_t *warnings = warnings_of(text);
    ck_assert_uint_eq(json_array_size(warnings),
                      1); /* not that of a bootstrap that was asked for */
    ck_assert_str_eq(json_string_value(json_array_get(warnings, 0)),
                     "BootstrapExpect is set to 1; this is the same as Bootstrap mode.");
    json_decref(warnings);
    struct cu_conf *conf = good(text);
    ck_assert(cu_conf_bool(conf, "bootstrap"));
    ck_assert(!cu_conf_is_set(conf, "bootstrap_expect"));
    cu_conf_free(conf);
}
END_TEST

START_TEST(sources_merge_scalars_replace_lists_append_maps_merge) /* agent.md 2 */
{
    const char *folder = suite_tmpdir();
    write_file(folder, "b.json",
               "{\"node_name\":\"b\",\"raftd\":{\"readers\":[\"two\"]},"
               "\"node_meta\":{\"k\":\"2\",\"m\":\"3\"}}");
    write_file(folder, "a.json",
               "{\"node_name\":\"a\",\"raftd\":{\"readers\":[\"one\"]},"
               "\"node_meta\":{\"k\":\"1\",\"l\":\"1\"}}");
    write_file(folder, "c.txt", "not read");
    const char *paths[] = {folder, NULL};
    json_t *flags = json_pack("{s:s}", "data_dir", "/x"), *warnings = NULL;
    struct cu_conf *conf = NULL;
    enum cu_err err = cu_conf_load(&(struct cu_conf_sources){.paths = paths, .flags = flags}, &conf,
                                   &warnings, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    ck_assert_str_eq(cu_conf_text(conf, "node_name"), "b");
    ck_assert_str_eq(cu_conf_text(conf, "data_dir"), "/x");
    const json_t *readers = cu_conf_json(conf, "raftd.readers");
    ck_assert_str_eq(json_string_value(json_array_get(readers, 0)), "one");
    ck_assert_str_eq(json_string_value(json_array_get(readers, 1)), "two");
    ck_assert_int_eq(json_object_size(cu_conf_json(conf, "node_meta")), 3);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(warnings, 0)), "c.txt"));
    json_decref(warnings);
    json_decref(flags);
    cu_conf_free(conf);
}
END_TEST

START_TEST(a_missing_file_is_said_in_the_references_words) /* agent.md 2 */
{
    const char *paths[] = {"/no/such/file", NULL};
    struct cu_conf *conf = NULL;
    ck_assert_int_eq(cu_conf_load(&(struct cu_conf_sources){.paths = paths}, &conf, NULL, &diag),
                     CU_E_NOT_FOUND);
    ck_assert_str_eq(diag.text,
                     "config: Open failed on /no/such/file. open /no/such/file: no such file "
                     "or directory");
}
END_TEST

START_TEST(a_file_one_byte_over_the_limit_is_refused)
{
    size_t len = CU_CONF_FILE_BYTES + 1;
    char *text = malloc(len);
    const char *body = "{\"data_dir\":\"/x\"}";
    memset(text, ' ', len);
    memcpy(text, body, strlen(body));
    struct cu_conf *conf = NULL;
    ck_assert_int_eq(cu_conf_parse(text, len - 1, "t", &conf, &diag), CU_OK);
    cu_conf_free(conf);
    ck_assert_int_eq(cu_conf_parse(text, len, "t", &conf, &diag), CU_E_TOO_LARGE);
    free(text);
}
END_TEST

START_TEST(dev_needs_no_data_dir_and_yields_to_what_is_given) /* agent.md 3 */
{
    json_t *flags = json_pack("{s:s}", "log_level", "warn");
    struct cu_conf *conf = NULL;
    enum cu_err err =
        cu_conf_load(&(struct cu_conf_sources){.dev = true, .flags = flags}, &conf, NULL, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    ck_assert(cu_conf_bool(conf, "server") && cu_conf_bool(conf, "bootstrap"));
    ck_assert_str_eq(cu_conf_text(conf, "bind_addr"), "127.0.0.1");
    ck_assert_str_eq(cu_conf_text(conf, "log_level"), "warn");
    json_decref(flags);
    cu_conf_free(conf);
}
END_TEST

START_TEST(a_rendered_part_holds_what_the_daemon_owns_and_reads_back) /* contracts 9.1 */
{
    struct cu_conf *conf =
        good("{\"data_dir\":\"/x\",\"server\":true,\"bootstrap_expect\":1,"
             "\"node_name\":\"n\",\"raft_trailing_logs\":5,\"ports\":{\"http\":1}}");
    json_t *part = cu_conf_render(conf, "raftd");
    ck_assert_int_eq(json_integer_value(json_object_get(part, "raft_trailing_logs")), 5);
    ck_assert_ptr_null(json_object_get(part, "ports"));
    ck_assert(json_is_true(json_object_get(part, "bootstrap")));
    char *text = json_dumps(part, 0);
    struct cu_conf *again = good(text);
    json_t *part_again = cu_conf_render(again, "raftd");
    ck_assert(json_equal(part, part_again));
    json_decref(part);
    json_decref(part_again);
    free(text);
    cu_conf_free(conf);
    cu_conf_free(again);
}
END_TEST

/* The values that begin with "secret", by name, in `part` or deeper. */
static unsigned secrets_of(const json_t *part, const char *const *names, size_t count)
{
    const char *name;
    json_t *value;
    unsigned found = 0;
    json_object_foreach((json_t *)(uintptr_t)part, name, value)
    {
        if (json_is_object(value))
            found |= secrets_of(value, names, count);
        for (size_t i = 0; json_is_string(value) && i < count; i++)
            if (!strcmp(json_string_value(value), names[i]))
                found |= 1u << i;
    }
    return found;
}

START_TEST(agent_100_no_daemon_is_given_anothers_secret)
{
    enum { AGENT = 1, AGENT_MASTER = 2, DEFAULT = 4, MASTER = 8 };
    static const char *const names[] = {"secret-agent", "secret-agent-master", "secret-default",
                                        "secret-master"};
    static const char *const texts[] = {
        "{\"data_dir\":\"/x\",\"server\":true,\"acl\":{\"tokens\":{\"agent\":\"secret-agent\","
        "\"agent_master\":\"secret-agent-master\",\"default\":\"secret-default\","
        "\"master\":\"secret-master\"}}}",
        "{\"data_dir\":\"/x\",\"server\":true,\"acl_agent_token\":\"secret-agent\","
        "\"acl_agent_master_token\":\"secret-agent-master\",\"acl_token\":\"secret-default\","
        "\"acl_master_token\":\"secret-master\"}",
    };
    static const struct {
        const char *daemon;
        unsigned secrets;
    } wanted[] = {
        {"gossipd", 0},
        {"raftd", 0},
        {"catalogd", MASTER},
        {"agentd", AGENT | AGENT_MASTER | DEFAULT},
        {"dnsd", AGENT | DEFAULT},
        {"xdsd", AGENT | AGENT_MASTER | DEFAULT},
    };
    for (size_t t = 0; t < CU_COUNT(texts); t++) {
        struct cu_conf *conf = good(texts[t]);
        for (size_t i = 0; i < CU_COUNT(wanted); i++) {
            json_t *part = cu_conf_render(conf, wanted[i].daemon);
            ck_assert_msg(secrets_of(part, names, CU_COUNT(names)) == wanted[i].secrets, "%s",
                          wanted[i].daemon);
            json_decref(part);
        }
        cu_conf_free(conf);
    }
}
END_TEST

START_TEST(peers_need_an_id_and_an_address)
{
#define PEERS(list) "{\"data_dir\":\"/x\",\"raftd\":{\"peers\":[" list "]}}"
#define ID          "\"id\":\"11111111-2222-3333-4444-555555555555\""
    cu_conf_free(good(PEERS("{" ID ",\"address\":\"127.0.0.1\",\"port\":8310}")));
    ck_assert_ptr_nonnull(strstr(refusal(PEERS("{\"address\":\"127.0.0.1\"}")), "needs an id"));
    ck_assert_ptr_nonnull(strstr(refusal(PEERS("{" ID "}")), "needs an address"));
    ck_assert_ptr_nonnull(
        strstr(refusal(PEERS("{" ID ",\"address\":\"::1\",\"x\":1}")), "peers[].x"));
    ck_assert_ptr_nonnull(strstr(
        refusal(PEERS("{" ID ",\"address\":\"::1\"},{" ID ",\"address\":\"::2\"}")), "twice"));
}
END_TEST

START_TEST(the_advertised_address_falls_back_to_the_bound_one)
{
    char ip[CU_IP_BYTES];
    struct cu_conf *conf = good("{\"data_dir\":\"/x\",\"bind_addr\":\"127.0.0.9\"}");
    ck_assert_int_eq(cu_conf_advertise(conf, ip, &diag), CU_OK);
    ck_assert_str_eq(ip, "127.0.0.9");
    cu_conf_free(conf);
}
END_TEST

START_TEST(what_a_reload_cannot_take_up_is_named)
{
    struct cu_conf *was = good("{\"data_dir\":\"/x\",\"log_level\":\"INFO\",\"ports\":{\"http\":1},"
                               "\"retry_join\":[\"a\"],\"domain\":\"same\"}");
    struct cu_conf *now = good("{\"data_dir\":\"/x\",\"log_level\":\"WARN\",\"ports\":{\"http\":2},"
                               "\"bind_addr\":\"127.0.0.1\",\"domain\":\"same\"}");
    static const char *const wanted[] = {"bind_addr", "ports.http", "retry_join"};
    size_t at = 0, count = 0;
    for (const char *key; (key = cu_conf_next_stuck(was, now, &at)); count++) {
        bool is_wanted = false;
        for (size_t i = 0; i < CU_COUNT(wanted); i++)
            is_wanted |= !strcmp(key, wanted[i]);
        ck_assert_msg(is_wanted, "%s", key);
    }
    ck_assert_uint_eq(count, CU_COUNT(wanted));
    at = 0;
    ck_assert_ptr_null(cu_conf_next_stuck(now, now, &at));
    cu_conf_free(was);
    cu_conf_free(now);
}
END_TEST

SUITE_MAIN("common/conf", what_a_reload_cannot_take_up_is_named,
           every_default_of_the_table_is_of_its_type, an_unknown_key_is_named,
           a_wrong_type_is_named_with_both_types, a_bad_duration_gives_gos_sentence,
           names_match_in_any_case_unless_the_exact_one_is_there,
           a_block_may_stand_in_a_list_of_one, a_key_with_a_dot_in_its_name_is_known,
           rules_between_keys_speak_the_references_words,
           what_would_protect_and_is_not_built_is_refused,
           what_is_not_built_is_warned_about_by_name,
           agent_12_expecting_one_server_is_bootstrap_with_the_warning,
           sources_merge_scalars_replace_lists_append_maps_merge,
           a_missing_file_is_said_in_the_references_words,
           a_file_one_byte_over_the_limit_is_refused,
           dev_needs_no_data_dir_and_yields_to_what_is_given,
           a_rendered_part_holds_what_the_daemon_owns_and_reads_back,
           agent_100_no_daemon_is_given_anothers_secret, peers_need_an_id_and_an_address,
           the_advertised_address_falls_back_to_the_bound_one)
