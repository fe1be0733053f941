#include "services/agentd/core/grpc.h"

#include <string.h>

#include "common/base/err.h"

/* gRPC over HTTP/2: a byte "not compressed", the length as u32 big-endian, then the message.
 * grpc.health.v1: HealthCheckRequest { string service = 1 }, HealthCheckResponse { enum status = 1
 * }.
 */
enum { PREFIX_BYTES = 5, FIELD_TEXT_1 = 0x0a, FIELD_VARINT_1 = 0x08, SERVING = 1 };

static void put_varint(struct cu_buf *out, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        cu_buf_u8(out, (uint8_t)(value | 0x80));
    cu_buf_u8(out, (uint8_t)value);
}

void agent_grpc_request(const char *target, bool tls, struct cu_buf *url, struct cu_buf *body)
{
    const char *slash = strchr(target, '/');
    const char *service = slash ? slash + 1 : "";
    struct cu_buf message = {0};

    cu_buf_printf(url, "%s://%.*s/grpc.health.v1.Health/Check", tls ? "https" : "http",
                  (int)strcspn(target, "/"), target);
    cu_buf_u8(url, 0);
    if (*service) {
        cu_buf_u8(&message, FIELD_TEXT_1);
        put_varint(&message, strlen(service));
        cu_buf_text(&message, service);
    }
    cu_buf_u8(body, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        cu_buf_u8(body, (uint8_t)(message.len >> shift));
    if (message.len)
        cu_buf_append(body, message.data, message.len);
    cu_buf_deinit(&message);
}

/* The serving status of a response; 0 (UNKNOWN) when there is none. */
static unsigned serving_status(struct cu_bytes body)
{
    struct cu_reader r = cu_reader_of(body);
    (void)cu_read_bytes(&r, PREFIX_BYTES);
    bool first = cu_reader_left(&r) >= 2 && cu_read_u8(&r) == FIELD_VARINT_1;
    return first ? cu_read_u8(&r) : 0;
}

static const char *serving_name(unsigned status)
{
    static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    return names[status < CU_COUNT(names) ? status : 0];
}

enum agent_status agent_grpc_result(const char *target, unsigned status, const char *grpc_status,
                                    struct cu_bytes body, struct cu_buf *output)
{
    if (status != 200 || (*grpc_status && strcmp(grpc_status, "0") != 0)) {
        cu_buf_printf(output, "gRPC %s: HTTP status %u, grpc-status %s", target, status,
                      *grpc_status ? grpc_status : "missing");
        return AGENT_CRITICAL;
    }
    unsigned serving = serving_status(body);
    if (serving == SERVING) {
        cu_buf_printf(output, "gRPC check %s: success", target);
        return AGENT_PASSING;
    }
    cu_buf_printf(output, "gRPC %s serving status: %s", target, serving_name(serving));
    return AGENT_CRITICAL;
}
