/* servers.h - finds catalogds among gossipd's members and offers them to a view (contracts 7.1).
 *
 * What is not said stays as it was: without a gossipd the servers known last stay known, and after
 * a restart of it until it has told all. A server is an alive member of this datacenter with the
 * tags role=consul and port. */
#ifndef CU_VIEW_SERVERS_H
#define CU_VIEW_SERVERS_H

#include "common/view/view.h"

struct view_servers;

struct view_servers_options {
    struct cu_view *view;
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct cu_log *log; /* may be NULL */
    const char *url;    /* of gossipd: "ipc:///..." */
    const char *datacenter;
    const char *node_name; /* not offered: its catalogd is the home, or there is none */
};

/* All strings are copied. */
struct view_servers *view_servers_new(const struct view_servers_options *options);
void view_servers_free(struct view_servers *servers); /* before its view; takes NULL */

#endif
