#include "services/agentd/core/grpc.h"

#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

START_TEST(asks_for_the_service_behind_the_slash) /* agent 34 */
{
    struct cu_buf url = {0}, body = {0};
    agent_grpc_request("h:1/web", false, &url, &body);
    ck_assert_str_eq((const char *)url.data, "http://h:1/grpc.health.v1.Health/Check");
    ck_assert_uint_eq(body.len, 10);
    ck_assert_mem_eq(body.data, "\0\0\0\0\5\x0a\3web", 10);
    cu_buf_clear(&url);
    cu_buf_clear(&body);
    agent_grpc_request("h:1", true, &url, &body);
    ck_assert_str_eq((const char *)url.data, "https://h:1/grpc.health.v1.Health/Check");
    ck_assert_uint_eq(body.len, 5);
    ck_assert_mem_eq(body.data, "\0\0\0\0\0", 5);
    cu_buf_deinit(&url);
    cu_buf_deinit(&body);
}
END_TEST

static const struct {
    unsigned status;
    const char *grpc_status, *body;
    size_t len;
    enum agent_status want;
    const char *output;
} cases[] = {
    /* agent 34 */
    {200, "0", "\0\0\0\0\2\x08\1", 7, AGENT_PASSING, "gRPC check h:1: success"},
    {200, "", "\0\0\0\0\2\x08\1", 7, AGENT_PASSING, "gRPC check h:1: success"},
    {200, "0", "\0\0\0\0\2\x08\2", 7, AGENT_CRITICAL, "gRPC h:1 serving status: NOT_SERVING"},
    {200, "0", "\0\0\0\0\2\x08\x7f", 7, AGENT_CRITICAL, "gRPC h:1 serving status: UNKNOWN"},
    {200, "0", "\0\0\0\0\0", 5, AGENT_CRITICAL, "gRPC h:1 serving status: UNKNOWN"},
    {200, "0", "", 0, AGENT_CRITICAL, "gRPC h:1 serving status: UNKNOWN"},
    {200, "0", "\0\0\0\0\1\x08", 6, AGENT_CRITICAL, "gRPC h:1 serving status: UNKNOWN"},
    {200, "12", "", 0, AGENT_CRITICAL, "gRPC h:1: HTTP status 200, grpc-status 12"},
    {404, "", "", 0, AGENT_CRITICAL, "gRPC h:1: HTTP status 404, grpc-status missing"},
};

START_TEST(only_serving_passes)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_buf output = {0};
        enum agent_status status = agent_grpc_result(
            "h:1", cases[i].status, cases[i].grpc_status,
            (struct cu_bytes){(const uint8_t *)cases[i].body, cases[i].len}, &output);
        cu_buf_u8(&output, 0);
        ck_assert_int_eq(status, cases[i].want);
        ck_assert_str_eq((const char *)output.data, cases[i].output);
        cu_buf_deinit(&output);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/grpc", asks_for_the_service_behind_the_slash, only_serving_passes)
