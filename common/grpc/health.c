/* grpc.health.v1: every public service serves until the daemon drains. */
#include <string.h>

#include "common/grpc/internal.h"
#include "grpc/health/v1/health.pb-c.h"

enum {
    SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
    NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
    SERVICE_UNKNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN,
};

static bool is_known(const struct cu_grpc_export *export, const char *service)
{
    const ProtobufCServiceDescriptor *const *at = export->o.services;
    while (*at && strcmp((*at)->name, service) != 0)
        at++;
    return *service == '\0' || *at;
}

static Grpc__Health__V1__HealthCheckResponse response(int status)
{
    Grpc__Health__V1__HealthCheckResponse out = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    out.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return out;
}

/* The service asked about, or NULL after the call has been ended. */
static Grpc__Health__V1__HealthCheckRequest *take_request(struct exported *x, struct cu_bytes bytes)
{
    Grpc__Health__V1__HealthCheckRequest *in =
        x->has_request ? NULL
                       : grpc__health__v1__health_check_request__unpack(
                             NULL, bytes.len, bytes.len ? bytes.data : (const uint8_t *)"");
    x->has_request = true;
    if (!in)
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "the request does not parse");
    return in;
}

static void check(struct exported *x, struct cu_bytes bytes)
{
    Grpc__Health__V1__HealthCheckRequest *in = take_request(x, bytes);
    if (!in)
        return;
    Grpc__Health__V1__HealthCheckResponse out =
        response(x->export->is_draining ? NOT_SERVING : SERVING);
    if (is_known(x->export, in->service))
        export_finish(x, &out.base);
    else
        export_fail(x, CU_GRPC_NOT_FOUND, "there is no such service");
    grpc__health__v1__health_check_request__free_unpacked(in, NULL);
}

static void watch(struct exported *x, struct cu_bytes bytes)
{
    Grpc__Health__V1__HealthCheckRequest *in = take_request(x, bytes);
    if (!in)
        return;
    x->watches = is_known(x->export, in->service);
    int status = x->export->is_draining ? NOT_SERVING : SERVING;
    Grpc__Health__V1__HealthCheckResponse out = response(x->watches ? status : SERVICE_UNKNOWN);
    export_send(x, &out.base);
    grpc__health__v1__health_check_request__free_unpacked(in, NULL);
}

void export_health_drained(struct exported *x)
{
    Grpc__Health__V1__HealthCheckResponse out = response(NOT_SERVING);
    if (cu_grpc_call_can_send(x->call))
        export_send(x, &out.base);
    else
        export_fail(x, CU_GRPC_UNAVAILABLE, "the server is being stopped");
}

static void half_closed(struct exported *x)
{
    if (!x->has_request)
        export_fail(x, CU_GRPC_INVALID_ARGUMENT, "the call ended without a request");
}

const struct exported_kind exported_health_check = {check, half_closed, NULL};
const struct exported_kind exported_health_watch = {watch, half_closed, NULL};
