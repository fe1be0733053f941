#include "services/xdsd/io/guard.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static void answered(void *arg, enum cu_err err, const char *text, struct cu_authorizer *authorizer,
                     const char *accessor)
{
    struct xds_guard *guard = arg;
    (void)text;
    (void)accessor;
    guard->is_asking = false;
    if (cu_rights_is_enabled(guard->rights))
        cu_timer_set_ms(&guard->recheck,
                        xds_recheck_ms(cu_rights_fresh_ms(guard->rights, guard->token)));
    guard->done(guard->arg, xds_verdict(err, authorizer, guard->service));
}

static void ask(void *arg)
{
    struct xds_guard *guard = arg;
    if (guard->is_asking)
        return;
    guard->is_asking = true;
    guard->ask = (struct cu_rights_ask){.token = guard->token, .done = answered, .arg = guard};
    cu_rights_ask(guard->rights, &guard->ask);
}

void xds_guard_check(struct xds_guard *guard, const char *service)
{
    if (!guard->service || strcmp(guard->service, service) != 0) {
        free(guard->service);
        guard->service = cu_strdup(service);
    }
    ask(guard);
}

void xds_guard_open(struct xds_guard *guard, struct cu_rights *rights, struct cu_loop *loop,
                    struct cu_bytes token)
{
    guard->rights = rights;
    guard->token = cu_alloc(token.len + 1);
    if (token.len)
        memcpy(guard->token, token.data, token.len);
    cu_timer_init(&guard->recheck, loop, ask, guard);
}

void xds_guard_close(struct xds_guard *guard)
{
    if (!guard->token)
        return;
    cu_rights_cancel(&guard->ask);
    cu_timer_close(&guard->recheck);
    explicit_bzero(guard->token, strlen(guard->token));
    free(guard->token);
    free(guard->service);
    guard->token = guard->service = NULL;
}
