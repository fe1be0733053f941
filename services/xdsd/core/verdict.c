#include "services/xdsd/core/verdict.h"

enum xds_verdict xds_verdict(enum cu_err err, const struct cu_authorizer *authorizer,
                             const char *service)
{
    if (err == CU_E_DENIED)
        return XDS_UNKNOWN_TOKEN;
    if (err || !authorizer)
        return XDS_NO_VERDICT;
    return cu_authorizer_permits(authorizer, SERVICE_WRITE, cu_bytes_of(service)) ? XDS_MAY
                                                                                  : XDS_LACKS_RIGHT;
}

uint64_t xds_recheck_ms(uint64_t fresh_ms)
{
    if (fresh_ms < XDS_RECHECK_MIN_MS)
        return XDS_RECHECK_MIN_MS;
    return fresh_ms < XDS_RECHECK_MAX_MS ? fresh_ms + 1 : XDS_RECHECK_MAX_MS;
}
