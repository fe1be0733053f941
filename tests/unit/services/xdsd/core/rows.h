/* rows.h - a view filled with rows as the feed brings them, each in one line. */
#ifndef TESTS_XDS_ROWS_H
#define TESTS_XDS_ROWS_H

#include "curia/v1/catalog.pb-c.h"
#include "services/xdsd/core/view.h"

struct rows {
    struct xds_view *view;
    struct cu_arena *arena; /* of the rows, and of what is read */
};

struct rows rows_new(bool default_allow); /* datacenter dc1 */
void rows_free(struct rows *rows);

/* The row of `message` under the user's key; *part of the key* after NUL: `second` ("" : none). */
enum cu_err rows_put(struct rows *rows, enum xds_topic topic, const char *first, const char *second,
                     const ProtobufCMessage *message);
void rows_del(struct rows *rows, enum xds_topic topic, const char *first, const char *second);

void rows_node(struct rows *rows, const char *node, const char *address);
void rows_root(struct rows *rows, const char *id, const char *pem, bool is_active);
void rows_check(struct rows *rows, const char *node, const char *id, const char *service_id,
                const char *status);
/* A sidecar before `service`, at port 21000 of its node, without an address of its own. */
void rows_sidecar(struct rows *rows, const char *node, const char *id, const char *service);
/* The same with upstreams: "db 9191 {\"protocol\":\"http\"}", NULL-ended; and Proxy.Config. */
void rows_client(struct rows *rows, const char *node, const char *id, const char *service,
                 const char *config, const char *const *upstreams);
void rows_protocol(struct rows *rows, const char *service, const char *protocol);
/* "web allow", "* deny", NULL-ended. */
void rows_intentions(struct rows *rows, const char *destination, const char *const *sources);

/* The proxy, which must be there. */
struct xds_proxy rows_proxy(struct rows *rows, const char *node, const char *id);

#endif
