#include "services/agentd/core/persisted.h"

#include "services/agentd/core/copy.h"
#include "tests/lib/suite.h"

/* Files of the reference (agent.md 10), the second with its durations written out. */
static const char service_text[] =
    "{\"Token\":\"\",\"Service\":{\"ID\":\"redis1\",\"Service\":\"redis\",\"Tags\":[\"a\"],"
    "\"Address\":\"\",\"Meta\":{\"v\":\"1\"},\"Port\":6379,\"Weights\":{\"Passing\":1,\"Warning\":"
    "1},"
    "\"EnableTagOverride\":false,\"Proxy\":{\"MeshGateway\":{},\"Expose\":{}},\"Connect\":{},"
    "\"CreateIndex\":0,\"ModifyIndex\":0},\"Source\":\"remote\"}";
static const char check_text[] =
    "{\"Check\":{\"Node\":\"srv1\",\"CheckID\":\"service:redis1:1\",\"Name\":\"Service 'redis' "
    "check\",\"Status\":\"critical\",\"Notes\":\"\",\"Output\":\"\",\"ServiceID\":\"redis1\","
    "\"ServiceName\":\"redis\",\"ServiceTags\":[\"a\"],\"Type\":\"ttl\",\"Definition\":{},"
    "\"CreateIndex\":0,\"ModifyIndex\":0},\"ChkType\":{\"CheckID\":\"\",\"Name\":\"\",\"Status\":"
    "\"\","
    "\"Notes\":\"\",\"ScriptArgs\":null,\"HTTP\":\"\",\"Header\":null,\"Method\":\"\",\"Body\":"
    "\"\","
    "\"TCP\":\"\",\"Interval\":0,\"AliasNode\":\"\",\"AliasService\":\"\",\"DockerContainerID\":"
    "\"\","
    "\"Shell\":\"\",\"GRPC\":\"\",\"GRPCUseTLS\":false,\"TLSSkipVerify\":false,\"Timeout\":0,"
    "\"TTL\":"
    "30000000000,\"SuccessBeforePassing\":0,\"FailuresBeforeCritical\":0,\"ProxyHTTP\":\"\","
    "\"ProxyGRPC\":\"\",\"DeregisterCriticalServiceAfter\":5400000000000,\"OutputMaxSize\":0},"
    "\"Token\":\"\",\"Source\":\"remote\"}";
static const char state_text[] =
    "{\"CheckID\":\"mem\",\"Output\":\"all fine\",\"Status\":\"passing\",\"Expires\":1795167627}";

static struct cu_arena *arena;

static struct cu_arena *room(void)
{
    if (!arena)
        arena = cu_arena_new(256 * 1024);
    return arena;
}

static void same_text(const struct cu_buf *got, const char *want)
{
    ck_assert_msg(cu_bytes_equal(cu_buf_bytes(got), cu_bytes_of(want)), "%.*s", (int)got->len,
                  (const char *)got->data);
}

START_TEST(a_service_of_the_reference_is_read_and_written_the_same) /* agent 45 */
{
    Curia__Internal__V1__PersistedService file;
    struct cu_buf out = {0};
    ck_assert_int_eq(agent_service_file_read(cu_bytes_of(service_text), room(), &file, NULL),
                     CU_OK);
    struct agent_local_service service = {
        .service = file.service, .token = file.token, .source = AGENT_FROM_API};
    agent_service_write(&service, &out);
    same_text(&out, service_text);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(a_check_of_the_reference_is_read_and_written_the_same) /* agent 45 */
{
    Curia__Internal__V1__PersistedCheck file;
    struct cu_buf out = {0};
    ck_assert_int_eq(agent_check_file_read(cu_bytes_of(check_text), room(), &file, NULL), CU_OK);
    ck_assert_int_eq(file.chk_type->ttl_ns, 30000000000);
    struct agent_local_check check = {
        .check = file.check, .spec = file.chk_type, .token = file.token, .source = AGENT_FROM_API};
    agent_check_write(&check, &out);
    same_text(&out, check_text);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(a_state_of_the_reference_is_read_and_written_the_same)
{
    Curia__Internal__V1__PersistedCheckState file;
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    struct cu_buf out = {0};
    ck_assert_int_eq(agent_state_file_read(cu_bytes_of(state_text), room(), &file, NULL), CU_OK);
    check.check_id = file.check_id;
    check.output = file.output;
    check.status = file.status;
    agent_state_write(&check, file.expires, &out);
    same_text(&out, state_text);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(maintenance_has_no_type_and_is_local)
{
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    struct agent_local_check slot = {.check = &check, .token = "", .source = AGENT_FROM_AGENT};
    struct cu_buf out = {0};
    check.check_id = "_node_maintenance";
    agent_check_write(&slot, &out);
    cu_buf_u8(&out, 0);
    ck_assert_ptr_nonnull(
        strstr((const char *)out.data, "\"ChkType\":null,\"Token\":\"\",\"Source\":\"local\"}"));
    cu_buf_deinit(&out);
}
END_TEST

static const struct {
    const char *text, *sentence;
} damaged[] = {
    {"", "EOF"},
    {"{\"Service\":", "unexpected EOF"},
    {"[]", "json: cannot unmarshal array into Go value of type agent.persistedService"},
    {"{}", "it names no service"},
    {"{\"Service\":{\"ID\":\"x\"}}", "it names no service"},
    {"\x01\x02", "invalid character '\\x01' looking for beginning of value"},
};

START_TEST(damage_is_told)
{
    for (size_t i = 0; i < CU_COUNT(damaged); i++) {
        Curia__Internal__V1__PersistedService file;
        struct cu_diag diag = {0};
        ck_assert_int_eq(
            agent_service_file_read(cu_bytes_of(damaged[i].text), room(), &file, &diag),
            CU_E_CORRUPT);
        ck_assert_str_eq(diag.text, damaged[i].sentence);
    }
    Curia__Internal__V1__PersistedCheck check;
    Curia__Internal__V1__PersistedCheckState state;
    ck_assert_int_eq(agent_check_file_read(cu_bytes_of("{\"Check\":{\"CheckID\":\"x\",\"Status\":"
                                                       "\"zz\"}}"),
                                           room(), &check, NULL),
                     CU_E_CORRUPT);
    ck_assert_int_eq(agent_state_file_read(cu_bytes_of("{}"), room(), &state, NULL), CU_E_CORRUPT);
}
END_TEST

START_TEST(what_a_newer_agent_added_is_passed_over)
{
    Curia__Internal__V1__PersistedService file;
    ck_assert_int_eq(
        agent_service_file_read(cu_bytes_of("{\"LocallyRegisteredAsSidecar\":false,\"Service\":"
                                            "{\"ID\":\"a\",\"Service\":\"b\",\"SocketPath\":\"\"},"
                                            "\"Source\":\"remote\"}"),
                                room(), &file, NULL),
        CU_OK);
}
END_TEST

START_TEST(names_are_digests_of_ids) /* agent 45 */
{
    char name[AGENT_FILE_NAME_BYTES];
    ck_assert_str_eq(agent_service_file("redis1", name),
                     "services/fd1742239212ef81344dca043704c36f");
    ck_assert_str_eq(agent_check_file("service:redis1:1", name),
                     "checks/0cff1dc941e600e824d564cc571287f8");
    ck_assert_str_eq(agent_state_file("mem", name),
                     "checks/state/afc4fc7e48a0710a1dc94ef3e8bc5764");
}
END_TEST

START_TEST(two_sources_are_written)
{
    enum agent_source source;
    ck_assert(agent_source_parse("remote", &source));
    ck_assert_int_eq(source, AGENT_FROM_API);
    ck_assert(agent_source_parse("local", &source));
    ck_assert_int_eq(source, AGENT_FROM_AGENT);
    ck_assert(!agent_source_parse("", &source));
}
END_TEST

SUITE_MAIN("services/agentd/core/persisted",
           a_service_of_the_reference_is_read_and_written_the_same,
           a_check_of_the_reference_is_read_and_written_the_same,
           a_state_of_the_reference_is_read_and_written_the_same,
           maintenance_has_no_type_and_is_local, damage_is_told,
           what_a_newer_agent_added_is_passed_over, names_are_digests_of_ids,
           two_sources_are_written)
