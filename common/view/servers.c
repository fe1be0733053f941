#include "common/view/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/base/map.h"
#include "common/members/members.h"
#include "common/view/candidates.h"

enum { MEMBERS_MAX = 65536 /* more are not looked at */ };

struct view_servers {
    struct cu_view *view;
    char *datacenter, *node_name;
    struct cu_members *follower;
    struct cu_map members; /* those that are alive: name -> URL, "" where it is no server of ours */
};

/* ---- what gossip says ---- */

static char *url_of(const struct view_servers *s, const Curia__Internal__V1__Member *member)
{
    char url[CU_ENDPOINT_BYTES] = "";
    uint64_t port = cu_member_number(member, "port", UINT16_MAX);
    if (cu_member_is_server(member, s->datacenter) && strcmp(member->name, s->node_name) != 0)
        (void)cu_endpoint_url(member->address, (unsigned)port, url);
    return cu_strdup(url);
}

static void record(void *arg, const Curia__Internal__V1__MemberRecord *record)
{
    struct view_servers *s = arg;
    const Curia__Internal__V1__Member *member = record->member;
    struct cu_bytes name = cu_bytes_of(member->name);
    free(cu_map_del(&s->members, name));
    if (member->status == CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE &&
        s->members.count < MEMBERS_MAX)
        (void)cu_map_put(&s->members, name, url_of(s, member));
}

static void offer(struct view_servers *s)
{
    const char *urls[VIEW_CANDIDATES_MAX];
    size_t count = 0, at = 0;
    struct cu_bytes name;
    void *url;
    while (count < VIEW_CANDIDATES_MAX && cu_map_next(&s->members, &at, &name, &url))
        if (*(const char *)url)
            urls[count++] = url;
    cu_view_offer(s->view, CU_VIEW_MEMBERS, urls, count);
    cu_view_set_cluster_size(s->view, s->members.count);
}

static void forget_all(struct view_servers *s)
{
    struct cu_bytes name;
    void *url;
    for (size_t at = 0; cu_map_next(&s->members, &at, &name, &url);)
        free(url);
    cu_map_deinit(&s->members);
}

static void anew(void *arg)
{
    forget_all(arg); /* and offered once all is told */
}

static void told(void *arg, bool complete)
{
    (void)complete; /* who answers is a server, however few others are known */
    offer(arg);
}

/* ---- life ---- */

struct view_servers *view_servers_new(const struct view_servers_options *options)
{
    struct view_servers *s = cu_alloc(sizeof *s);
    s->view = options->view;
    s->datacenter = cu_strdup(options->datacenter);
    s->node_name = cu_strdup(options->node_name);
    s->follower = cu_members_new(&(struct cu_members_options){.rpc = options->rpc,
                                                              .loop = options->loop,
                                                              .log = options->log,
                                                              .url = options->url,
                                                              .record = record,
                                                              .anew = anew,
                                                              .told = told,
                                                              .arg = s});
    return s;
}

void view_servers_free(struct view_servers *s)
{
    if (!s)
        return;
    cu_members_free(s->follower);
    forget_all(s);
    free(s->datacenter);
    free(s->node_name);
    free(s);
}
