/* guard.h - the token of one stream, looked at when its proxy is known, before each push, and again
 * as soon as what is known of it has grown old (mesh.md 6.2). */
#ifndef XDS_GUARD_H
#define XDS_GUARD_H

#include "common/view/rights.h"
#include "services/xdsd/core/verdict.h"

/* Lives in its owner; zero-initialise. */
struct xds_guard {
    struct cu_rights *rights;
    char *token, *service; /* service NULL: its proxy is not known yet */
    /* What came of a check; not from within xds_guard_close(). The guard may be closed in here. */
    void (*done)(void *arg, enum xds_verdict verdict);
    void *arg;
    struct cu_rights_ask ask;
    bool is_asking;
    struct cu_timer recheck;
};

/* `token` is copied. */
void xds_guard_open(struct xds_guard *guard, struct cu_rights *rights, struct cu_loop *loop,
                    struct cu_bytes token);
void xds_guard_close(struct xds_guard *guard); /* may be called again */

/* Asks for the right to the proxy of `service`; `done` may be called before this returns. One that
 * is under way answers for both, as to the later service. From then on it is asked again by itself.
 */
void xds_guard_check(struct xds_guard *guard, const char *service);

#endif
